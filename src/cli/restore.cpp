// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/file/output_file.h"
#include "base/process/sandbox.h"
#include "base/stop.h"
#include "base/storage.h"
#include "cli/command.h"
#include "cli/image_input.h"
#include "cli/message.h"
#include "cli/sizes.h"
#include "ext2/structures/mount.h"
#include "ext2/structures/superblock.h"
#include "image/disk_file.h"
#include "image/raw_sink.h"
#include "qcow2/read/reader.h"

namespace e2qcow::cli {
namespace {

struct RestoreOptions {
  ImageOptions image;
  std::string target;
  bool allow_metadata = false;
  bool fit = false;
  bool discard = false;
  Common common;
};

void refuse_mounted(const std::string& path) {
  const auto state = ext2::mount_state(path);
  if (state.mounted)
    fail(Errc::in_use,
         fmt::format("{}: is in use (mounted on {}); unmount it first", path, printable(state.mount_point)));
}

void refuse_bad_target(const RestoreOptions& options) {
  if (options.target == "-") throw CLI::ValidationError("TARGET: a raw disk cannot go to standard output");
  const auto target = stored_ranges(options.target);
  if (overlap(target,
              options.image.path == "-" ? stored_ranges(STDIN_FILENO) : stored_ranges(options.image.path)))
    fail(Errc::refused, fmt::format("{}: the image is stored there", options.target));
  if (!std::filesystem::exists(options.target)) return;
  refuse_mounted(options.target);
  for (const StoredRange& stored : target)
    if (!stored.name.empty()) refuse_mounted(stored.name);
}

void refuse_backing_files(const RestoreOptions& options, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (overlap(stored_ranges(options.target), stored_ranges(name)))
      fail(Errc::refused,
           fmt::format("{}: {}, which the image is based on, is stored there", options.target, name));
}

std::uint64_t filesystem_size(const ImageSource& source, const std::string& name) {
  const DiskFile disk(source, name);
  const auto superblock = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  if (!superblock) fail(Errc::not_ext2, disk.name() + ": --fit needs an ext2/3/4 file system in the image");
  return superblock->blocks() * superblock->block_size();
}

// Zeros need no room.
void refuse_data_behind(const ImageSource& disk, std::uint64_t position, const std::string& too_small) {
  std::vector<std::byte> buffer;
  while (const auto extent = disk.next_extent(position)) {
    throw_if_stopped();
    buffer.resize(std::min<std::uint64_t>(extent->length, 1 << 20));
    disk.read(extent->offset, buffer);
    if (!is_zero(buffer))
      fail(Errc::too_small,
           fmt::format("{}, and there is data behind that, at {} or later", too_small, extent->offset));
    position = extent->offset + buffer.size();
  }
}

// The size of what is written, once the device is known to be large enough for it.
std::uint64_t size_to_write(const RestoreOptions& options, const ImageSource& disk,
                            std::uint64_t device_size) {
  if (disk.size() <= device_size) return disk.size();
  const std::string too_small = fmt::format("{}: too small: it has {} bytes, the disk in {} has {}",
                                            options.target, device_size, options.image.path, disk.size());
  if (!options.fit)
    fail(Errc::too_small, too_small + "; --fit accepts a device that holds the file system alone");
  const std::uint64_t needed = filesystem_size(disk, options.image.path);
  if (needed > device_size) fail(Errc::too_small, fmt::format("{}, its file system {}", too_small, needed));
  refuse_data_behind(disk, device_size, too_small);
  return device_size;
}

void refuse_metadata(const RestoreOptions& options, const qcow2::Reader& reader) {
  const auto record = reader.record();
  if (!record && reader.has_record() && !options.allow_metadata)
    fail(Errc::refused,
         fmt::format("{}: what it says of itself makes no sense, and it may hold metadata alone; "
                     "restore it to a file, or use --allow-metadata",
                     options.image.path));
  if (!record || record->kind != DumpKind::metadata || options.allow_metadata) return;
  fail(Errc::refused, fmt::format("{}: holds metadata alone: the contents of all files on {} would be lost; "
                                  "restore it to a file, or use --allow-metadata",
                                  options.image.path, options.target));
}

void warn_of_losses(const RestoreOptions& options, const qcow2::Reader& reader) {
  const auto record = reader.record();
  if (record && record->lost_bytes > 0)
    say("{}: {} could not be read when it was made, and are zeros\n", printable(options.image.path),
        human_size(record->lost_bytes));
}

int run_restore(const RestoreOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  refuse_bad_target(options);
  ImageInput input(options.image);
  refuse_backing_files(options, input.names());
  OutputFile output(options.target);
  const unsigned threads = thread_count(options.common);
  if (output.is_block_device())
    give_up_rights({});
  else
    give_up_rights({output.directory()});
  input.read(threads);
  qcow2::Reader& reader = input.reader();
  qcow2::Chain& disk = input.disk();
  RawSink::Options sink_options{.size = disk.size()};
  if (output.is_block_device()) {
    refuse_metadata(options, reader);
    sink_options.size = size_to_write(options, disk, output.file().size());
    sink_options.overwrites = true;
    if (options.discard) sink_options.zeroing = File::Zeroing::discard;
  }
  {
    const auto progress = make_progress(options.common.progress, options.common.quiet);
    if (progress) progress->begin("restore", input.data_bytes());
    output.file().expect_writes(input.data_bytes());
    RawSink sink(output.file(), sink_options);
    transfer(disk, sink, {threads, progress.get()});
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
  add_image_options(*command, options->image);
  command
      ->add_option(
          "TARGET", options->target,
          "A block device, or a file (sparse; an existing one is replaced only when this one is complete)")
      ->required();
  command->add_flag("--allow-metadata", options->allow_metadata,
                    "Write a metadata-only image to a block device");
  command->add_flag("--fit", options->fit,
                    "Accept a device that is smaller than the dumped one if the file system fits");
  command->add_flag("--discard", options->discard,
                    "Discard areas of zeros instead of writing them, if the device guarantees that they then "
                    "read as zeros");
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow restore sdb1.qcow2 /dev/sdc1");
  command->callback([options, &chosen] { chosen = [options] { return run_restore(*options); }; });
}

}  // namespace e2qcow::cli
