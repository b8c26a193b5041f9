// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/refusals.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/extents.h"
#include "base/file/data_cursor.h"
#include "base/mounts.h"
#include "base/partitions.h"
#include "base/process/standard_descriptors.h"
#include "base/signatures.h"
#include "ext2/interpretation/superblock_search.h"
#include "ext2/journal/recovery.h"
#include "ext2/structures/description.h"
#include "ext2/structures/filesystem.h"
#include "ext2/structures/geometry.h"
#include "ext2/structures/mount.h"
#include "ext2/structures/superblock.h"
#include "image/disk_file.h"
#include "nbd/nbd_name.h"

namespace e2qcow::work {
namespace {

void refuse_any_use(const std::string& path) {
  const auto state = ext2::mount_state(path);
  if (state.mounted)
    fail(Errc::in_use,
         fmt::format("{}: is in use (mounted on {}); unmount it first", path, state.mount_point));
}

// An image of less without a file system may hold only what identified a device.
constexpr std::uint64_t kFewBytes = 1 << 20;

// A pipe can be read only at its beginning before its data is needed.
std::optional<ext2::Superblock> find_superblock(const Image& image, const ReadableFile& disk) {
  auto primary = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  return primary || image.is_piped() ? primary : ext2::search_superblock(disk, {}).superblock;
}

// About how much a file system has in use besides its own structures, as its superblock counts.
std::uint64_t bytes_in_files(const ext2::Superblock& superblock, std::uint64_t disk_size) {
  const ext2::Geometry geometry(superblock, disk_size);
  std::uint64_t structures = superblock.journal_bytes() / geometry.block_size();
  for (std::uint64_t group = 0; group < geometry.groups(); ++group)
    structures += geometry.inode_table_blocks() + 2 + geometry.descriptors_in(group).count +
                  (geometry.has_superblock(group) ? 1 + superblock.raw.s_reserved_gdt_blocks : 0);
  const ext2::Description counted = ext2::describe(superblock);
  const std::uint64_t in_use = counted.blocks - std::min(counted.blocks, counted.free_blocks);
  return (in_use - std::min(in_use, structures)) * geometry.block_size();
}

// What the image stores of the journal; of a pipe, where that cannot be seen yet, all that it can store.
std::uint64_t bytes_in_journal(const Image& image, const ReadableFile& disk,
                               const ext2::Superblock& superblock) {
  if (image.is_piped()) return superblock.journal_bytes();
  const ext2::Filesystem filesystem(disk, superblock);
  return total_length(data_in(disk, ext2::journal_extents(filesystem)));
}

void refuse_few_data(const Image& image, const std::string& target) {
  const std::string& name = image.reader().file().name();
  const DiskFile disk(image.disk(), name);
  const auto superblock = find_superblock(image, disk);
  if (!superblock && image.data_bytes() <= kFewBytes && disk.size() > kFewBytes)
    fail(Errc::metadata_only, fmt::format("{}: holds {} bytes, and no ext2/3/4 file system: everything else "
                                          "on {} would be lost",
                                          name, image.data_bytes(), target));
  if (!superblock || superblock->is_journal_device()) return;
  if (!superblock->is_primary())  // what is in use is not counted in backups
    fail(Errc::metadata_only, fmt::format("{}: has no valid primary superblock, and may hold only metadata: "
                                          "the contents of all files on {} would be lost",
                                          name, target));
  const std::uint64_t in_files = bytes_in_files(*superblock, disk.size());
  const std::uint64_t data = image.data_bytes();
  if (in_files / 2 <= data - std::min(data, bytes_in_journal(image, disk, *superblock))) return;
  fail(Errc::metadata_only, fmt::format("{}: seems to hold only metadata ({} bytes, and its file system has "
                                        "{} in files): the contents of all files on {} would be lost",
                                        name, data, in_files, target));
}

// Returns whether the image says what it holds, and may be restored.
bool refuse_by_record(const qcow2::Reader& image, const std::string& target) {
  const std::string& name = image.file().name();
  const auto record = image.record();
  if (!record && image.has_record())
    fail(Errc::metadata_only, name + ": its dump record is unreadable, so it may hold only metadata");
  if (record && record->kind == DumpKind::signatures)
    fail(Errc::metadata_only,
         fmt::format(
             "{}: holds no file system, only what identified the device: everything on {} would be lost",
             name, target));
  if (record && record->kind == DumpKind::metadata)
    fail(Errc::metadata_only,
         fmt::format("{}: holds only metadata: the contents of all files on {} would be lost", name, target));
  return record.has_value();
}

std::string place_of(const Mount& mount) {
  return mount.directory.empty() ? "in another mount namespace" : "on " + mount.directory;
}

}  // namespace

void refuse_ambiguous(const ReadableFile& image) {
  if (ext2::read_superblock(image, ext2::kSuperblockOffset))
    fail(Errc::ambiguous, image.name() + ": looks like a qcow2 image and like an ext2/3/4 file system");
}

std::optional<SourceUse> use_of_source(const PosixFile& device, const std::vector<StoredRange>& storage) {
  if (ext2::mount_state(device.name()).in_use) fail(Errc::in_use, device.name() + ": is used as swap");
  const std::vector<Mount> mounts = mounts_on(storage);
  const auto changes = std::ranges::find(mounts, true, &Mount::read_write);
  if (changes != mounts.end()) {
    if (changes->device == device.number())
      return SourceUse{fmt::format("{}: is mounted read-write {}, and would change while it is read",
                                   device.name(), place_of(*changes)),
                       true};
    return SourceUse{
        fmt::format("{}: is mounted read-write {} as {}, which alone has the current contents; dump that",
                    device.name(), place_of(*changes), changes->node),
        false};
  }
  if (mounts.empty() && is_claimed(device))
    return SourceUse{device.name() + ": is in use by another program, and may change while it is read", true};
  return std::nullopt;
}

void refuse_mounted_target(const std::string& target) {
  if (!std::filesystem::exists(target)) return;
  refuse_any_use(target);
  for (const StoredRange& stored : stored_ranges(target))
    if (!stored.name.empty()) refuse_any_use(stored.name);
}

void refuse_replacing_shown(const std::string& target) {
  if (const std::string loop = loop_device_of(target); !loop.empty())
    fail(Errc::in_use,
         fmt::format("{}: is shown by {}, which would keep the old file (losetup -d detaches it)", target,
                     loop));
}

void refuse_same_target(const std::string& disk, const std::string& journal) {
  if (is_same_name(disk, journal) || nbd::is_same_disk(disk, journal) ||
      overlap(stored_ranges(disk), stored_ranges(journal)))
    fail(Errc::refused, journal + ": is given for the file system and for its journal");
}

void refuse_partitions(const ReadableFile& target) {
  const auto tables = partition_tables(target);
  if (tables.empty()) return;
  std::string partitions;
  for (const auto& [number, range, type] : tables.front().partitions) {
    const std::string contents = describe_contents(target, range);
    partitions += fmt::format("{}{} of {} bytes{}", partitions.empty() ? " " : ", ", number, range.length,
                              contents.empty() ? "" : " (" + contents + ")");
  }
  fail(Errc::has_partitions,
       fmt::format("{}: holds a partition table ({}) that would be overwritten, with partitions{}",
                   target.name(), tables.front().type, partitions));
}

Stored stored_input(const std::string& path) {
  if (path == "-") return {"standard input", stored_ranges(kStandardInput)};
  return {path, stored_ranges(path)};
}

Stored stored_output(const std::string& path) {
  if (path == "-") return {"standard output", stored_ranges(kStandardOutput)};
  return {path, stored_ranges(path)};
}

void refuse_overwriting(const Stored& output, const Stored& input) {
  if (overlap(output.ranges, input.ranges))
    fail(Errc::overwrites_input, fmt::format("{}: would overwrite the input {}", output.name, input.name));
}

void refuse_output_on_input(const std::string& output, const Stored& input) {
  const Stored stored = stored_output(output);
  refuse_overwriting(stored, input);
  if (overlap(output == "-" ? ranges_under(kStandardOutput) : ranges_under(output), input.ranges))
    fail(Errc::overwrites_input, fmt::format("{}: would be stored on the input {}; write it to another disk",
                                             stored.name, input.name));
}

void refuse_metadata_only(const Image& image, const std::string& target) {
  bool is_known = false;
  for (const auto& reader : image.readers()) is_known = refuse_by_record(*reader, target) || is_known;
  if (!is_known) refuse_few_data(image, target);
}

}  // namespace e2qcow::work
