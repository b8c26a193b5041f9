// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/refusals.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/mounts.h"
#include "base/partitions.h"
#include "base/process/standard_descriptors.h"
#include "base/signatures.h"
#include "ext2/structures/description.h"
#include "ext2/structures/geometry.h"
#include "ext2/structures/mount.h"
#include "ext2/structures/superblock.h"
#include "image/disk_file.h"

namespace e2qcow::work {
namespace {

void refuse_any_use(const std::string& path) {
  const auto state = ext2::mount_state(path);
  if (state.mounted)
    fail(Errc::in_use,
         fmt::format("{}: is in use (mounted on {}); unmount it first", path, state.mount_point));
}

// About how much the file system in an image has in use besides its own structures, as its superblock counts;
// 0 if there is none.
std::uint64_t bytes_in_files(const ImageSource& disk, const std::string& name) {
  const DiskFile file(disk, name);
  const auto superblock = ext2::read_superblock(file, ext2::kSuperblockOffset);
  if (!superblock || superblock->is_journal_device()) return 0;
  const ext2::Geometry geometry(*superblock, file.size());
  std::uint64_t structures = superblock->journal_bytes() / geometry.block_size();
  for (std::uint64_t group = 0; group < geometry.groups(); ++group)
    structures += geometry.inode_table_blocks() + 2 + geometry.descriptors_in(group).count +
                  (geometry.has_superblock(group) ? 1 + superblock->raw.s_reserved_gdt_blocks : 0);
  const ext2::Description counted = ext2::describe(*superblock);
  const std::uint64_t in_use = counted.blocks - std::min(counted.blocks, counted.free_blocks);
  return (in_use - std::min(in_use, structures)) * geometry.block_size();
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
                                   device.name(), changes->place),
                       true};
    return SourceUse{
        fmt::format("{}: is mounted read-write {} as {}, which alone has the current contents; dump that",
                    device.name(), changes->place, changes->node),
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

void refuse_partitions(const PosixFile& target) {
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
  const std::string& name = image.reader().file().name();
  const auto record = image.reader().record();
  if (!record && image.reader().has_record())
    fail(Errc::metadata_only, name + ": its dump record is unreadable, so it may hold only metadata");
  if (record && record->kind == DumpKind::signatures)
    fail(Errc::metadata_only,
         fmt::format(
             "{}: holds no file system, only what identified the device: everything on {} would be lost",
             name, target));
  if (record && record->kind == DumpKind::metadata)
    fail(Errc::metadata_only,
         fmt::format("{}: holds only metadata: the contents of all files on {} would be lost", name, target));
  if (record) return;
  const std::uint64_t in_files = bytes_in_files(image.disk(), name);
  if (in_files / 2 > image.data_bytes())
    fail(Errc::metadata_only, fmt::format("{}: seems to hold only metadata ({} bytes, and its file system "
                                          "has {} in files): the contents of "
                                          "all files on {} would be lost",
                                          name, image.data_bytes(), in_files, target));
}

}  // namespace e2qcow::work
