#include <e2qcow/error.h>
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/device.h"
#include "base/output_file.h"
#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/device_input.h"
#include "cli/image_format.h"
#include "cli/losses.h"
#include "cli/text.h"
#include "ext2/select.h"
#include "image/extent_source.h"
#include "qcow2/record_extension.h"
#include "qcow2/writer.h"

namespace e2qcow::cli {
namespace {

struct DumpOptions {
  InputOptions input;
  std::string image;
  bool all = false;
  FormatOptions format;
  Common common;
};

struct DumpResult {
  DumpRecord record;
  std::uint64_t disk_size = 0;
  std::uint64_t image_size = 0;
  double seconds = 0;
};

void refuse_bad_target(const DumpOptions& options, const PosixFile& device) {
  if (is_same_file(options.input.path, options.image))
    fail(Errc::refused, options.image + ": is the device to be dumped");
  if (is_stored_on(options.image, device))
    fail(Errc::refused,
         fmt::format("{}: would be stored on {}, which is to be dumped; write it to another disk",
                     options.image, device.name()));
}

DumpRecord begin_record(const DumpOptions& options, const ext2::Filesystem& filesystem,
                        const ext2::SelectedExtents& selected) {
  DumpRecord record;
  record.kind = options.all ? DumpKind::all : DumpKind::metadata;
  record.program_version = E2QCOW_VERSION;
  std::ranges::copy(filesystem.superblock.raw.s_uuid, record.filesystem_uuid.begin());
  record.block_size = filesystem.geometry.block_size();
  record.classes = class_bytes(selected.class_bytes);
  return record;
}

std::uint64_t lost_bytes(const SalvagingFile& file) {
  std::uint64_t bytes = 0;
  for (const Extent& loss : file.losses()) bytes += loss.length;
  return bytes;
}

qcow2::TableWriter::Background background_of(const OutputFile& output) {
  using enum qcow2::TableWriter::Background;
  return output.is_block_device() ? old_data : zeros;
}

DumpResult write_image(const DumpOptions& options, const DeviceInput& input, const ext2::Findings& findings,
                       const ImageFormat& format, ext2::SelectedExtents selected, Progress* progress) {
  DumpResult result;
  result.record = begin_record(options, input.filesystem(), selected);
  result.disk_size = image_size(input.file());
  const qcow2::Layout layout = plan_image(format, result.disk_size, selected.extents, options.image);
  OutputFile output(options.image);
  const auto extensions = [&] {
    result.record.lost_bytes = lost_bytes(input.file());
    result.record.inconsistencies = findings.total();
    return std::vector{qcow2::encode_record(result.record)};
  };
  qcow2::Writer writer(output.file(), layout,
                       {format.version, format.compression, background_of(output), extensions});
  if (progress) progress->begin("dump", selected.bytes());
  ExtentSource source(input.file(), std::move(selected.extents));
  transfer(source, writer, {thread_count(options.common), progress});
  result.image_size = writer.image_size();
  output.commit(OutputFile::Durability::if_it_replaces);
  return result;
}

void print_result(const DumpOptions& options, const DumpResult& result) {
  std::uint64_t selected = 0;
  for (const auto& entry : result.record.classes) selected += entry.bytes;
  if (options.common.json) {
    const nlohmann::ordered_json json{{"image", printable(options.image)},
                                      {"kind", options.all ? "all" : "metadata"},
                                      {"disk-size", result.disk_size},
                                      {"selected-bytes", selected},
                                      {"image-size", result.image_size},
                                      {"lost-bytes", result.record.lost_bytes},
                                      {"inconsistencies", result.record.inconsistencies},
                                      {"classes", classes_json(result.record.classes)},
                                      {"seconds", result.seconds}};
    fmt::print("{}\n", json.dump(2));
  } else if (!options.common.quiet) {
    fmt::print(stderr, "{}: {} of {} on a disk of {}; image {}, {:.1f} s\n", printable(options.image),
               human_size(selected), options.all ? "blocks in use" : "metadata", human_size(result.disk_size),
               human_size(result.image_size), result.seconds);
  }
}

int run_dump(const DumpOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  const ImageFormat format = image_format(options.format);
  const DeviceInput input(options.input);
  refuse_bad_target(options, input.device());
  ext2::Findings findings;
  DumpResult result;
  {
    const auto progress = make_progress(options.common.progress, options.common.quiet);
    const DumpKind kind = options.all ? DumpKind::all : DumpKind::metadata;
    auto selected = ext2::select_blocks(input.filesystem(),
                                        {kind, thread_count(options.common), progress.get()}, findings);
    result = write_image(options, input, findings, format, std::move(selected), progress.get());
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  print_losses(input.file(), findings);
  print_result(options, result);
  return result.record.complete() && findings.total() == 0 ? kDone : kWithLosses;
}

}  // namespace

void add_dump(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<DumpOptions>();
  CLI::App* command =
      app.add_subcommand("dump", "Write the metadata, or all blocks in use, to a qcow2 image");
  add_input_options(*command, options->input);
  command->add_option("IMAGE", options->image, "The image to write; an older one is replaced at the very end")
      ->required();
  command->add_flag("-a,--all", options->all, "All blocks in use, with the contents of files");
  add_format_options(*command, options->format);
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow dump /dev/sdb1 sdb1.qcow2");
  command->callback([options, &chosen] { chosen = [options] { return run_dump(*options); }; });
}

}  // namespace e2qcow::cli
