// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/refusals.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <filesystem>

#include "base/device.h"
#include "base/process/standard_descriptors.h"
#include "ext2/structures/mount.h"
#include "ext2/structures/superblock.h"

namespace e2qcow::work {
namespace {

void refuse_read_write(const std::string& path) {
  const auto state = ext2::mount_state(path);
  if (!state.mounted || !state.read_write) return;
  if (state.in_use) fail(Errc::in_use, path + ": is used as swap");
  fail(Errc::mounted, fmt::format("{}: is mounted read-write on {}, and would change while it is read", path,
                                  state.mount_point));
}

void refuse_any_use(const std::string& path) {
  const auto state = ext2::mount_state(path);
  if (state.mounted)
    fail(Errc::in_use,
         fmt::format("{}: is in use (mounted on {}); unmount it first", path, state.mount_point));
}

}  // namespace

void refuse_ambiguous(const ReadableFile& image) {
  if (ext2::read_superblock(image, ext2::kSuperblockOffset))
    fail(Errc::ambiguous, image.name() + ": looks like a qcow2 image and like an ext2/3/4 file system");
}

void refuse_mounted_source(const PosixFile& device, Extent part, const std::vector<StoredRange>& storage) {
  refuse_read_write(device.name());
  for (const std::string& partition : partitions_in(device, part)) refuse_read_write(partition);
  for (const StoredRange& stored : storage)  // another loop device may use the same file
    if (!stored.name.empty()) refuse_read_write(stored.name);
}

void refuse_mounted_target(const std::string& target) {
  if (!std::filesystem::exists(target)) return;
  refuse_any_use(target);
  for (const StoredRange& stored : stored_ranges(target))
    if (!stored.name.empty()) refuse_any_use(stored.name);
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

void refuse_metadata_only(const qcow2::Reader& image, const std::string& target) {
  const auto record = image.record();
  if (!record && image.has_record())
    fail(Errc::metadata_only,
         image.file().name() + ": its dump record is unreadable, so it may hold only metadata");
  if (record && record->kind == DumpKind::metadata)
    fail(Errc::metadata_only,
         fmt::format("{}: holds only metadata: the contents of all files on {} would be lost",
                     image.file().name(), target));
}

}  // namespace e2qcow::work
