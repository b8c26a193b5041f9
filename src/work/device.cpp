// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/device.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/extents.h"
#include "base/file/text_file.h"
#include "base/mounts.h"
#include "base/partitions.h"
#include "base/printable.h"
#include "base/signatures.h"
#include "ext2/journal/recovery.h"
#include "ext2/structures/description.h"
#include "ext2/structures/mmp.h"
#include "work/open_disk.h"

namespace e2qcow::work {
namespace {

// Where a file system is mounted stands for its device.
std::string device_path(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_directory(path, none) ? device_mounted_on(path) : path;
}

// Mounts on other machines can be seen only in the file system itself.
void warn_of_other_users(const ext2::Filesystem& filesystem, const Notice& notice) {
  const auto user = ext2::mmp_user(filesystem);
  if (!user) return;
  notice(fmt::format(
      "{}: according to its MMP block, node '{}' {} it as '{}'; if so, the dump may be inconsistent",
      filesystem.file.name(), user->node, user->is_checking ? "checks" : "has mounted", user->device));
}

bool holds_superblock(const ReadableFile& device, Extent range) {
  return ext2::read_superblock(device, range.offset + ext2::kSuperblockOffset).has_value();
}

// `size` is that of what is read.
Extent part_of(const ReadableFile& device, std::uint64_t size, const DeviceOptions& options) {
  Extent part{options.offset.value_or(0), size};
  if (options.partition)
    part = find_partition(device, *options.partition, options.sector_size,
                          [&](Extent range) { return holds_superblock(device, range); });
  if (part.offset > size)
    fail(Errc::truncated,
         fmt::format("{}: it has only {} bytes, but {} {}", device.name(), size,
                     options.partition ? "the partition begins at" : "the offset is", part.offset));
  return {part.offset, std::min(part.length, size - part.offset)};
}

std::string text_of(std::uint64_t begin, const ext2::Superblock& superblock) {
  const ext2::Description description = ext2::describe(superblock);
  return fmt::format("an ext2/3/4 file system '{}' of {} bytes begins at {}", printable(description.label),
                     description.size(), begin);
}

// Who accepts a mounted device also accepts one that may be mounted.
std::optional<SourceUse> use_if_known(const PosixFile& device, const std::vector<StoredRange>& storage,
                                      const DeviceOptions& options) {
  try {
    return use_of_source(device, storage);
  } catch (const std::system_error& error) {
    if (error.code() != Errc::unknown_mounts || !options.accept_mounted) throw;
    return SourceUse{error.what(), true};
  }
}

bool has_partitions(const ReadableFile& disk) {
  try {
    return !partition_tables(disk).empty();
  } catch (const std::system_error& error) {  // it cannot be read where they would be
    if (error.code() == Errc::interrupted || error.code() == Errc::connection_lost) throw;
    return false;
  }
}

// What can be read of a disk that may be damaged.
SalvagingFile readable_parts(const ReadableFile& disk) {
  return {disk, {.block_size = 512, .retries = 0, .strict = false}};
}

std::string contents_of(const ReadableFile& disk, Extent part) {
  return describe_other_contents(readable_parts(disk), part);
}

}  // namespace

// Nothing begins at the beginning of the part.
void Device::fail_without_superblock(const DeviceOptions& options,
                                     const ext2::SuperblockSearch& search) const {
  if (options.superblock.block)
    fail(Errc::no_superblock,
         fmt::format("{}: there is no ext2/3/4 superblock in block {}", name(), *options.superblock.block));
  const bool is_whole_disk = !options.partition && !options.offset;
  if (is_whole_disk && !avoiding_ && has_partitions(*device_))
    fail(Errc::has_partitions, name() + ": no ext2/3/4 file system begins here, but there are partitions");
  const std::string contents = contents_of(readable_disk(), part_);
  std::string others = contents.empty() ? "" : "; " + contents;
  if (avoiding_ && any_overlaps(known_->unfinished(), {part_.offset + ext2::kSuperblockOffset, 1}))
    others = "; according to the map, the place of its superblock was not read";
  std::vector<std::uint64_t> offsets;
  std::string found;
  for (const auto& [begin, superblock] : search.others) {
    const auto on_device = static_cast<std::int64_t>(part_.offset) + begin;
    if (on_device < 0) continue;
    offsets.push_back(static_cast<std::uint64_t>(on_device));
    found += "; " + text_of(offsets.back(), superblock);
  }
  if (!offsets.empty())
    throw BeginsElsewhere(name() + ": no ext2/3/4 file system begins here" + others + found,
                          std::move(offsets));
  fail(Errc::not_ext2,
       name() + ": no ext2/3/4 file system found (neither its superblock nor a backup)" + others);
}

Device::Device(const DeviceOptions& options)
    : device_(open_disk(device_path(options.path),
                        {.takes_hints = true, .reads_ahead = options.bad_blocks.empty()}, options.remote)),
      local_(dynamic_cast<const PosixFile*>(device_.get())),
      disk_(options.open_disk()),
      part_(part_of(*device_, disk_or_device().size(), options)),
      is_partition_(options.partition.has_value()),
      superblock_is_chosen_(options.superblock.block.has_value()),
      storage_(local_ == nullptr ? std::vector<StoredRange>() : stored_ranges(local_->fd(), part_)) {
  if (local_ != nullptr) look_at_users(options);
  if (!options.bad_blocks.empty()) avoid_bad_blocks(options.bad_blocks);
  window_ = std::make_unique<FileWindow>(readable_disk(), part_);
  open_filesystem(options);
}

void Device::look_at_users(const DeviceOptions& options) {
  if (options.is_frozen) {
    if (options.past_cache && !disk_) direct_ = past_stale_cache(*device_);
    return;
  }
  const auto use = use_if_known(*local_, storage_, options);
  const bool accepted = options.accept_mounted && (options.accept_stale || (use && use->is_current));
  if (use && !accepted) fail(use->is_current ? Errc::mounted : Errc::in_use, use->text);
  if (use) options.notice(use->text);
  is_in_use_ = use.has_value();
  if (!disk_) direct_ = past_stale_cache(*device_);
}

void Device::avoid_bad_blocks(const std::string& map_file) {
  known_ = RescueMap::parse(read_text_file(map_file), map_file);
  avoiding_ = std::make_unique<AvoidingFile>(disk_or_device(), known_->unfinished());
}

void Device::open_filesystem(const DeviceOptions& options) {
  auto finder = std::make_unique<SalvagingFile>(
      *window_, SalvagingFile::Options{.block_size = 1024, .retries = options.retries, .strict = false});
  const auto search = ext2::search_superblock(*finder, options.superblock);
  if (search.superblock) {
    if (!superblock_is_chosen_) refuse_other(*search.superblock, options);
    if (search.rival)
      options.notice(
          fmt::format("{}: backups of two file systems were found; the one of block {} is used, not the one "
                      "of block {}",
                      name(), search.superblock->offset / search.superblock->block_size(),
                      search.rival->offset / search.rival->block_size()));
    return use(options, *search.superblock);
  }
  if (superblock_is_chosen_ || !options.accept_no_filesystem) fail_without_superblock(options, search);
  salvaging_ = std::move(finder);
}

// A superblock that is not, or no longer, that of what is on the device.
void Device::refuse_other(const ext2::Superblock& superblock, const DeviceOptions& options) const {
  if (const auto begin = ext2::true_begin(readable_parts(readable_disk()), part_.offset, superblock))
    throw BeginsElsewhere(
        fmt::format("{}: no ext2/3/4 file system begins here; {}", name(), text_of(*begin, superblock)),
        {*begin});
  if (superblock.is_primary() || options.accept_no_filesystem) return;
  const std::string contents = contents_of(readable_disk(), part_);
  if (!contents.empty())
    fail(Errc::older_remains,
         fmt::format("{}: {}; of an older ext2/3/4 file system there is a backup superblock in block {}",
                     name(), contents, superblock.offset / superblock.block_size()));
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
  open_journal(options);
}

// One that belongs to another file system would be replayed onto this one.
void Device::open_journal(const DeviceOptions& options) {
  const ext2::Superblock& superblock = filesystem_->superblock;
  if (!superblock.has_external_journal()) {
    if (!options.journal.empty())
      fail(Errc::refused,
           fmt::format("{}: has no journal on another device, such as {}", name(), options.journal));
    return;
  }
  const std::string uuid = ext2::journal_uuid(superblock);
  const std::string path = options.journal.empty() ? device_with_uuid(uuid) : options.journal;
  if (path.empty()) return;
  DeviceOptions of_journal;
  of_journal.path = path;
  of_journal.retries = options.retries;
  of_journal.remote = options.remote;
  of_journal.accept_mounted = of_journal.is_frozen = true;  // the kernel has it together with the file system
  of_journal.past_cache = true;
  of_journal.notice = options.notice;
  auto journal = std::make_unique<Device>(of_journal);
  const ext2::Superblock& found = journal->filesystem()->superblock;
  if (!found.is_journal_device() || !std::ranges::equal(found.raw.s_uuid, superblock.raw.s_journal_uuid))
    fail(Errc::refused,
         fmt::format("{}: is not the journal of {}, whose UUID is {}", journal->name(), name(), uuid));
  if (options.journal.empty()) options.notice(fmt::format("{}: its journal is on {}", name(), path));
  journal_ = std::move(journal);
  const std::uint32_t users = ext2::users_of_journal(*journal_->filesystem());
  if (users > 1)
    options.notice(fmt::format("{}: is the journal of {} file systems: no program replays such a journal",
                               journal_->name(), users));
  else
    filesystem_->external_journal = journal_->filesystem();
}

std::vector<Extent> Device::partition_table() const {
  return is_partition_ ? partition_table_areas(*device_) : std::vector<Extent>();
}

std::vector<Extent> Device::recognised_areas() const {
  return e2qcow::recognised_areas(*device_, part_);
}

std::uint64_t Device::lost_bytes() const {
  const std::uint64_t missing = filesystem_ ? filesystem_->geometry.missing_bytes() : 0;
  return missing + total_length(salvaging_->losses());
}

}  // namespace e2qcow::work
