// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/device.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/device.h"
#include "base/extents.h"
#include "base/file/text_file.h"
#include "ext2/structures/mmp.h"

namespace e2qcow::work {
namespace {

// Mounts on other machines can be seen only in the file system itself.
void warn_of_other_users(const ext2::Filesystem& filesystem, const Notice& notice) {
  const auto user = ext2::mmp_user(filesystem);
  if (!user) return;
  notice(fmt::format(
      "{}: according to its MMP block, node '{}' {} it as '{}'; if so, the dump may be inconsistent",
      filesystem.file.name(), user->node, user->is_checking ? "checks" : "has mounted", user->device));
}

Extent part_of(const PosixFile& device, const DeviceOptions& options) {
  if (options.partition) return find_partition(device, *options.partition);
  const std::uint64_t offset = options.offset.value_or(0);
  const std::uint64_t size = device.size();
  if (offset > size)
    fail(Errc::truncated,
         fmt::format("{}: it has only {} bytes, but the offset is {}", device.name(), size, offset));
  return {offset, size - offset};
}

[[noreturn]] void fail_without_superblock(const DeviceOptions& options, const PosixFile& device,
                                          const ReadableFile& part) {
  const bool is_whole_disk = !options.partition && !options.offset && !options.superblock.block;
  if (is_whole_disk && has_partitions(device))
    fail(Errc::has_partitions,
         device.name() + ": no ext2/3/4 file system begins here, but there are partitions");
  ext2::find_superblock(part, options.superblock);
  fail(Errc::not_ext2, device.name() + ": changed while it was opened");
}

}  // namespace

Device::Device(const DeviceOptions& options)
    : device_(
          open_for_reading(options.path, {.takes_hints = true, .reads_ahead = options.bad_blocks.empty()})),
      part_(part_of(*device_, options)),
      superblock_is_chosen_(options.superblock.block.has_value()),
      storage_(stored_ranges(device_->fd(), part_)) {
  if (!options.accept_mounted) refuse_mounted_source(*device_, part_, storage_);
  if (!options.bad_blocks.empty()) avoid_bad_blocks(options.bad_blocks);
  window_ = avoiding_ ? std::make_unique<FileWindow>(*avoiding_, part_)
                      : std::make_unique<FileWindow>(*device_, part_);
  open_filesystem(options);
}

void Device::avoid_bad_blocks(const std::string& map_file) {
  known_ = RescueMap::parse(read_text_file(map_file), map_file);
  avoiding_ = std::make_unique<AvoidingFile>(*device_, known_->unfinished());
}

void Device::open_filesystem(const DeviceOptions& options) {
  auto finder = std::make_unique<SalvagingFile>(
      *window_, SalvagingFile::Options{.block_size = 1024, .retries = options.retries, .strict = false});
  const auto superblock = ext2::search_superblock(*finder, options.superblock);
  if (superblock) return use(options, *superblock);
  if (superblock_is_chosen_ || !options.accept_no_filesystem)
    fail_without_superblock(options, *device_, *finder);
  salvaging_ = std::move(finder);
}

void Device::use(const DeviceOptions& options, const ext2::Superblock& superblock) {
  if (options.strict && superblock.blocks() > window_->size() / superblock.block_size())
    fail(Errc::truncated, fmt::format("{}: it ends before its file system, which has {} blocks of {}", name(),
                                      superblock.blocks(), superblock.block_size()));
  salvaging_ =
      std::make_unique<SalvagingFile>(*window_, SalvagingFile::Options{.block_size = superblock.block_size(),
                                                                       .retries = options.retries,
                                                                       .strict = options.strict});
  filesystem_ = std::make_unique<ext2::Filesystem>(*salvaging_, superblock);
  warn_of_other_users(*filesystem_, options.notice);
}

std::vector<Extent> Device::recognised_areas() const {
  return e2qcow::recognised_areas(*device_, part_);
}

std::uint64_t Device::lost_bytes() const {
  const std::uint64_t missing = filesystem_ ? filesystem_->geometry.missing_bytes() : 0;
  return missing + total_length(salvaging_->losses());
}

}  // namespace e2qcow::work
