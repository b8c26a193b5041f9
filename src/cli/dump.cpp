// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/extents.h"
#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/device_input.h"
#include "cli/extra_output.h"
#include "cli/image_output.h"
#include "cli/map_files.h"
#include "cli/message.h"
#include "cli/report.h"
#include "cli/sizes.h"
#include "image/extent_source.h"
#include "qcow2/format/record_extension.h"

namespace e2qcow::cli {
namespace {

struct DumpOptions {
  InputOptions input;
  std::string image;
  bool all = false;
  std::string report;   // empty: none
  std::string map_out;  // the same
  FormatOptions format;
  Common common;
};

struct DumpResult {
  DumpRecord record;
  std::uint64_t disk_size = 0;
  std::uint64_t image_size = 0;
  std::uint64_t lost_bytes = 0;
  double seconds = 0;
};

DumpRecord begin_record(const DumpOptions& options, const ext2::Filesystem* filesystem,
                        const ext2::SelectedExtents& selected) {
  DumpRecord record;
  record.kind = options.all ? DumpKind::all : DumpKind::metadata;
  record.program_version = E2QCOW_VERSION;
  if (filesystem != nullptr) {
    std::ranges::copy(filesystem->superblock.raw.s_uuid, record.filesystem_uuid.begin());
    record.block_size = filesystem->geometry.block_size();
  }
  record.classes = class_bytes(selected.class_bytes);
  return record;
}

// What could not be read, and what the device does not have.
std::uint64_t lost_bytes(const DeviceInput& input) {
  const std::uint64_t missing =
      input.filesystem() == nullptr ? 0 : input.filesystem()->geometry.missing_bytes();
  return missing + total_length(input.file().losses());
}

struct Target {
  OutputFile* file;  // null: standard output
  const ImageFormat& format;
};

DumpResult dump_to(const DumpOptions& options, const DeviceInput& input, const Target& target,
                   const ext2::Findings& findings, const ext2::SelectedExtents& selected,
                   Progress* progress) {
  DumpResult result;
  result.record = begin_record(options, input.filesystem(), selected);
  const auto extensions = [&](ImageOutput::When when) {
    result.record.losses_known = when == ImageOutput::When::after_data;
    result.record.lost_bytes = lost_bytes(input);
    result.record.inconsistencies = findings.total();
    result.record.findings.clear();
    for (const auto& [finding, summary] : findings.summary())
      result.record.findings.push_back({static_cast<std::uint8_t>(finding), summary.count});
    return std::vector{qcow2::encode_record(result.record)};
  };
  const TransferOptions transfer_options{thread_count(options.common), progress};
  const auto weigh = [&](const qcow2::Layout& layout) {
    if (progress) progress->begin("weigh", selected.bytes());
    ExtentSource source(input.file(), selected.extents);
    return weigh_image(target.format, layout, source, transfer_options);
  };
  result.disk_size = image_size(input.file());
  const auto layout = plan_image(target.format, result.disk_size, selected.extents, options.image, weigh);
  if (progress) progress->begin("dump", selected.bytes());
  ExtentSource source(input.file(), selected.extents);
  result.image_size = write_image({target.file, target.format, layout, extensions}, source, selected.extents,
                                  transfer_options);
  result.lost_bytes = lost_bytes(input);
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
                                      {"lost-bytes", result.lost_bytes},
                                      {"inconsistencies", result.record.inconsistencies},
                                      {"classes", classes_json(result.record.classes)},
                                      {"seconds", result.seconds}};
    fmt::print("{}\n", json.dump(2));
  } else if (!options.common.quiet) {
    say("{}: {} of {} on a disk of {}; image {}, {:.1f} s\n",
        options.image == "-" ? "standard output" : printable(options.image), human_size(selected),
        options.all ? "blocks in use" : "metadata", human_size(result.disk_size),
        human_size(result.image_size), result.seconds);
  }
}

int run_dump(const DumpOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  const ImageFormat format = image_format(options.format);
  const DeviceInput input(options.input);
  if (options.image == "-" && options.common.json)
    throw CLI::ValidationError("--json: standard output is for the image");
  refuse_output_on_input(input, options.image);
  std::unique_ptr<OutputFile> image;
  if (options.image != "-") image = std::make_unique<OutputFile>(options.image);
  ExtraOutput report_file(input, options.report, {options.image});
  ExtraOutput map_file(input, options.map_out, {options.image, options.report});
  const ext2::Filesystem* filesystem = input.filesystem();
  if (options.all && filesystem != nullptr && filesystem->superblock.needs_recovery())
    say("{}: its journal is to be replayed; until then nobody knows what is free, and all blocks are taken\n",
        printable(options.input.path));
  ext2::Findings findings;
  ext2::SelectedExtents selected;
  DumpResult result;
  {
    const auto progress = make_progress(options.common.progress, options.common.quiet);
    const DumpKind kind = options.all ? DumpKind::all : DumpKind::metadata;
    selected = input.select({.kind = kind,
                             .threads = thread_count(options.common),
                             .progress = progress.get(),
                             .most_important_first = input.may_be_dying(),
                             .remember = input.may_be_dying() || !options.map_out.empty()},
                            findings);
    result = dump_to(options, input, {image.get(), format}, findings, selected, progress.get());
    map_file.commit([&] { return rescue_map_text(input, selected.looked_at); });
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const Report report = make_report(input, selected, findings, !options.report.empty());
  print_report(report, options.input.path);
  report_file.commit([&] { return report_text(report, input); });
  print_result(options, result);
  return result.lost_bytes == 0 && findings.total() == 0 ? kDone : kWithLosses;
}

}  // namespace

void add_dump(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<DumpOptions>();
  CLI::App* command =
      app.add_subcommand("dump", "Write the metadata, or all blocks in use, to a qcow2 image");
  add_input_options(*command, options->input);
  command
      ->add_option("IMAGE", options->image,
                   "The image to write (-: standard output); an existing one is replaced only when this one "
                   "is complete")
      ->required();
  command->add_flag("-a,--all", options->all, "Dump all blocks in use, including the contents of files");
  command
      ->add_option("--report", options->report,
                   "Write to FILE, as JSON, what was unreadable or inconsistent and which files are affected")
      ->type_name("FILE");
  command
      ->add_option("--map-out", options->map_out,
                   "Write a map file for GNU ddrescue that shows what could be read and what could not")
      ->type_name("MAPFILE");
  add_format_options(*command, options->format);
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow dump /dev/sdb1 sdb1.qcow2");
  command->callback([options, &chosen] { chosen = [options] { return run_dump(*options); }; });
}

}  // namespace e2qcow::cli
