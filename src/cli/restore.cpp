#include <e2qcow/error.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/device.h"
#include "base/output_file.h"
#include "cli/command.h"
#include "cli/image_input.h"
#include "cli/say.h"
#include "cli/text.h"
#include "ext2/mount.h"
#include "ext2/superblock.h"
#include "image/raw_sink.h"
#include "image/source_file.h"
#include "qcow2/reader.h"

namespace e2qcow::cli {
namespace {

struct RestoreOptions {
  std::string image;
  std::string target;
  bool allow_metadata = false;
  bool fit = false;
  bool discard = false;
  Common common;
};

void refuse_bad_target(const RestoreOptions& options) {
  if (options.target == "-") throw CLI::ValidationError("TARGET: a raw disk cannot go to standard output");
  if (is_same_file(options.image, options.target))
    fail(Errc::refused, options.target + ": is the image itself");
  if (const auto state = ext2::mount_state(options.target))
    fail(Errc::in_use, fmt::format("{}: is in use (mounted on {}); unmount it first", options.target,
                                   printable(state->mount_point)));
}

std::uint64_t filesystem_size(qcow2::Reader& reader) {
  const SourceFile disk(reader, reader.file().name());
  const auto superblock = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  if (!superblock) fail(Errc::not_ext2, disk.name() + ": --fit needs an ext2/3/4 file system in the image");
  return superblock->blocks() * superblock->block_size();
}

// The size of what is written, once the device is known to be large enough for it.
std::uint64_t size_to_write(const RestoreOptions& options, qcow2::Reader& reader, std::uint64_t device_size) {
  if (reader.size() <= device_size) return reader.size();
  const std::string too_small = fmt::format("{}: too small: it has {} bytes, the disk in {} has {}",
                                            options.target, device_size, options.image, reader.size());
  if (!options.fit)
    fail(Errc::too_small, too_small + "; --fit accepts a device that holds the file system alone");
  const std::uint64_t needed = filesystem_size(reader);
  if (needed > device_size) fail(Errc::too_small, fmt::format("{}, its file system {}", too_small, needed));
  return device_size;
}

void refuse_metadata(const RestoreOptions& options, const qcow2::Reader& reader) {
  const auto record = reader.record();
  if (!record || record->kind != DumpKind::metadata || options.allow_metadata) return;
  fail(Errc::refused, fmt::format("{}: holds metadata alone: the contents of all files on {} would be lost; "
                                  "restore it to a file, or use --allow-metadata",
                                  options.image, options.target));
}

void warn_of_losses(const RestoreOptions& options, const qcow2::Reader& reader) {
  const auto record = reader.record();
  if (record && record->lost_bytes > 0)
    say("{}: {} could not be read when it was made, and are zeros\n", printable(options.image),
        human_size(record->lost_bytes));
}

int run_restore(const RestoreOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  refuse_bad_target(options);
  ImageInput input(options.image, thread_count(options.common));
  qcow2::Reader& reader = input.reader();
  OutputFile output(options.target);
  RawSink::Options sink_options{.size = reader.size()};
  if (output.is_block_device()) {
    refuse_metadata(options, reader);
    sink_options.size = size_to_write(options, reader, output.file().size());
    sink_options.overwrites = true;
    if (options.discard) sink_options.zeroing = File::Zeroing::discard;
  }
  {
    const auto progress = make_progress(options.common.progress, options.common.quiet);
    if (progress) progress->begin("restore", input.data_bytes());
    RawSink sink(output.file(), sink_options);
    transfer(reader, sink, {thread_count(options.common), progress.get()});
    input.finish();
    output.commit(OutputFile::Durability::always);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  warn_of_losses(options, reader);
  if (options.common.json)
    fmt::print("{}\n", nlohmann::ordered_json{{"target", printable(options.target)},
                                              {"size", sink_options.size},
                                              {"data-bytes", input.data_bytes()},
                                              {"seconds", seconds}}
                           .dump(2));
  else if (!options.common.quiet)
    say("{}: {} with {} of data, {:.1f} s\n", printable(options.target), human_size(sink_options.size),
        human_size(input.data_bytes()), seconds);
  return kDone;
}

}  // namespace

void add_restore(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<RestoreOptions>();
  CLI::App* command =
      app.add_subcommand("restore", "Write the disk in a qcow2 image to a file or block device");
  command->add_option("IMAGE", options->image, "The qcow2 image (- for standard input)")->required();
  command
      ->add_option("TARGET", options->target,
                   "File (written sparse, replaced at the very end) or block device")
      ->required();
  command->add_flag("--allow-metadata", options->allow_metadata,
                    "Write an image without the contents of files to a block device");
  command->add_flag("--fit", options->fit,
                    "Accept a device that is smaller than the dumped one but holds the file system");
  command->add_flag("--discard", options->discard,
                    "Discard what is zero on a device instead of writing zeros");
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow restore sdb1.qcow2 /dev/sdc1");
  command->callback([options, &chosen] { chosen = [options] { return run_restore(*options); }; });
}

}  // namespace e2qcow::cli
