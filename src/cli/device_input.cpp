// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/device_input.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/device.h"
#include "base/file/text_file.h"
#include "cli/message.h"
#include "cli/sizes.h"
#include "ext2/structures/mmp.h"
#include "ext2/structures/mount.h"

namespace e2qcow::cli {
namespace {

void refuse_mounted(const std::string& path) {
  const auto state = ext2::mount_state(path);
  if (!state.mounted || !state.read_write) return;
  if (state.in_use) fail(Errc::in_use, path + ": is used as swap");
  fail(Errc::in_use,
       fmt::format(
           "{}: is mounted read-write on {}, and would change while it is read; unmount it or remount it "
           "read-only (mount -o remount,ro), or use --force for a dump that may be inconsistent",
           path, printable(state.mount_point)));
}

// What other machines have mounted cannot be seen here, but in the file system itself.
void warn_of_other_users(const ext2::Filesystem& filesystem) {
  const auto user = ext2::mmp_user(filesystem);
  if (!user) return;
  say("{}: node '{}' {} it as '{}', says its MMP block; if that is still so, the dump may be inconsistent\n",
      printable(filesystem.file.name()), printable(user->node), user->is_checking ? "checks" : "has mounted",
      printable(user->device));
}

Extent window_of(const InputOptions& options, const PosixFile& device) {
  if (options.partition) return find_partition(device, *options.partition);
  const std::uint64_t offset = options.offset.value_or(0);
  const std::uint64_t size = device.size();
  if (offset > size)
    fail(Errc::truncated,
         fmt::format("{}: it has only {} bytes, the offset is {}", device.name(), size, offset));
  return {offset, size - offset};
}

[[noreturn]] void fail_without_superblock(const InputOptions& options, const PosixFile& device,
                                          const ReadableFile& part) {
  const bool is_whole_disk = !options.partition && !options.offset && !options.superblock.block;
  if (is_whole_disk && has_partitions(device))
    fail(Errc::not_ext2,
         fmt::format("{}: no ext2/3/4 file system begins here, but there are partitions; name one "
                     "with --partition N",
                     options.path));
  ext2::find_superblock(part, options.superblock);
  fail(Errc::not_ext2, options.path + ": its superblock has just come back");
}

}  // namespace

void add_input_options(CLI::App& command, InputOptions& options) {
  command.add_option("DEVICE", options.path, "The block device or file that holds the file system")
      ->required();
  auto* offset = command.add_option_function<std::string>(
      "--offset", [&options](const std::string& text) { options.offset = parse_size(text); },
      "Offset of the file system in DEVICE");
  offset->type_name("BYTES[k|M|G]");
  command.add_option("--partition", options.partition, "Use partition N of DEVICE (MBR or GPT)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""))
      ->excludes(offset);
  command.add_option("-b", options.superblock.block, "Use the superblock in this block, as e2fsck -b does")
      ->type_name("SUPERBLOCK");
  command
      .add_option("-B", options.superblock.block_size,
                  "Assume this block size (1024 to 65536), as e2fsck -B does")
      ->type_name("BLOCKSIZE")
      ->check(CLI::IsMember({1024U, 2048U, 4096U, 8192U, 16384U, 32768U, 65536U}).description(""));
  command
      .add_option("--retries", options.retries,
                  "Retry each unreadable block N times, at most 100 (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(0U, 100U).description(""));
  command
      .add_option("--bad-blocks", options.bad_blocks,
                  "GNU ddrescue's map file of DEVICE: areas it does not mark as finished are not read and "
                  "become zeros")
      ->type_name("MAPFILE");
  command.add_flag("--strict", options.strict, "Stop at the first unreadable block");
  command.add_flag("--force", options.force,
                   "Continue even if the device is mounted read-write or no file system is found on it");
}

DeviceInput::DeviceInput(const InputOptions& options)
    : superblock_is_chosen_(options.superblock.block.has_value()) {
  device_ = open_for_reading(options.path, {.takes_hints = true, .reads_ahead = options.bad_blocks.empty()});
  part_ = window_of(options, *device_);
  storage_ = stored_ranges(device_->fd(), part_);
  if (!options.force) {
    refuse_mounted(options.path);
    for (const std::string& partition : partitions_in(*device_, part_)) refuse_mounted(partition);
    for (const StoredRange& stored : storage_)  // another loop device may be made of the same file
      if (!stored.name.empty()) refuse_mounted(stored.name);
  }
  if (!options.bad_blocks.empty()) {
    known_ = RescueMap::parse(read_text_file(options.bad_blocks), options.bad_blocks);
    avoiding_ = std::make_unique<AvoidingFile>(*device_, known_->unfinished());
  }
  window_ = avoiding_ ? std::make_unique<FileWindow>(*avoiding_, part_)
                      : std::make_unique<FileWindow>(*device_, part_);
  auto finder = std::make_unique<SalvagingFile>(
      *window_, SalvagingFile::Options{.block_size = 1024, .retries = options.retries, .strict = false});
  const auto superblock = ext2::search_superblock(*finder, options.superblock);
  if (!superblock && (superblock_is_chosen_ || !options.force))
    fail_without_superblock(options, *device_, *finder);
  if (superblock)
    open_filesystem(options, *superblock);
  else
    salvaging_ = std::move(finder);
}

void DeviceInput::open_filesystem(const InputOptions& options, const ext2::Superblock& superblock) {
  if (options.strict && superblock.blocks() > window_->size() / superblock.block_size())
    fail(Errc::truncated, fmt::format("{}: it ends before its file system does, which has {} blocks of {}",
                                      options.path, superblock.blocks(), superblock.block_size()));
  salvaging_ =
      std::make_unique<SalvagingFile>(*window_, SalvagingFile::Options{.block_size = superblock.block_size(),
                                                                       .retries = options.retries,
                                                                       .strict = options.strict});
  filesystem_ = std::make_unique<ext2::Filesystem>(*salvaging_, superblock);
  warn_of_other_users(*filesystem_);
}

ext2::SelectedExtents DeviceInput::select(const ext2::SelectOptions& options,
                                          ext2::Findings& findings) const {
  ext2::SelectOptions with_choice = options;
  with_choice.superblock_is_chosen = superblock_is_chosen_;
  if (filesystem_) return ext2::select_blocks(*filesystem_, with_choice, findings);
  findings.add(ext2::Finding::no_superblock, 0, 0);
  ext2::SelectedExtents selected;
  selected.extents = recognised_areas(*device_, part_);
  if (options.remember) selected.looked_at = selected.extents;
  for (const Extent& extent : selected.extents)
    selected.class_bytes[static_cast<std::size_t>(ext2::BlockClass::signatures)] += extent.length;
  return selected;
}

}  // namespace e2qcow::cli
