// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/restore.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/file/differing_writes.h"
#include "base/stop.h"
#include "ext2/journal/new_journal.h"
#include "ext2/structures/superblock.h"
#include "image/checked_sink.h"
#include "image/disk_file.h"
#include "image/raw_sink.h"
#include "nbd/nbd_name.h"
#include "work/refusals.h"

namespace e2qcow::work {
namespace {

std::vector<std::string> targets_of(const RestoreOptions& options) {
  std::vector<std::string> targets{options.target};
  if (!options.new_journal.empty()) targets.push_back(options.new_journal);
  return targets;
}

ImageFiles open_image(const RestoreOptions& options) {
  if (nbd::is_same_disk(options.image.path, options.target))
    fail(Errc::overwrites_input, options.target + ": is given as the input and as the output");
  for (const std::string& name : targets_of(options)) {
    refuse_overwriting(stored_output(name), stored_input(options.image.path));
    refuse_mounted_target(name);
    refuse_replacing_shown(name);
  }
  if (!options.new_journal.empty()) refuse_same_target(options.target, options.new_journal);
  ImageFiles image(options.image);
  std::vector<std::string> inputs = image.names();
  std::ranges::copy(options.image.data_files, std::back_inserter(inputs));
  for (const std::string& name : targets_of(options))
    for (const std::string& input : inputs)
      refuse_overwriting(stored_output(name), {input, stored_ranges(input)});
  return image;
}

// Of the file system in the image, for which a journal is to be made.
ext2::Superblock superblock_for_journal(const Image& image) {
  const std::string& name = image.reader().file().name();
  const auto superblock = ext2::read_superblock(DiskFile(image.disk(), name), ext2::kSuperblockOffset);
  if (!superblock) fail(Errc::not_ext2, name + ": has no ext2/3/4 file system");
  if (!superblock->has_external_journal())
    fail(Errc::refused, name + ": its file system has no journal on another device");
  if (superblock->needs_recovery())
    fail(Errc::refused, name + ": its journal must be replayed, so an empty one cannot replace it");
  return *superblock;
}

void make_journal(const Image& image, RestoreTarget& target) {
  const ext2::Superblock superblock = superblock_for_journal(image);
  if (!target.is_in_place()) target.file().resize(ext2::usual_journal_size(superblock));
  ext2::write_new_journal(superblock, target.file());
  target.commit();
}

void refuse_partitions_on(RestoreTarget& target, const RestoreOptions& options) {
  if (!target.is_file() && !options.accept_partitions) refuse_partitions(target.file());
}

std::uint64_t filesystem_size(const ImageSource& source, const std::string& name) {
  const DiskFile disk(source, name);
  const auto superblock = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  if (!superblock)
    fail(Errc::not_ext2, name + ": has no ext2/3/4 file system, so the size that must fit is unknown");
  return superblock->blocks() * superblock->block_size();
}

// The offset of the first data from `position` on, about; zeros are none.
std::optional<std::uint64_t> find_data(const ImageSource& disk, std::uint64_t position) {
  std::vector<std::byte> buffer;
  while (const auto extent = disk.next_extent(position)) {
    throw_if_stopped();
    buffer.resize(std::min<std::uint64_t>(extent->length, 1 << 20));
    disk.read(extent->offset, buffer);
    if (!is_zero(buffer)) return extent->offset;
    position = extent->offset + buffer.size();
  }
  return std::nullopt;
}

void refuse_data_past(const ImageSource& disk, std::uint64_t position, const std::string& too_small) {
  if (const auto data = find_data(disk, position))
    fail(Errc::too_small, fmt::format("{}, and there is data past that, at or after {}", too_small, *data));
}

// What was after the file system on the dumped disk is not in the image. On a device it is left alone, unless
// the disk has data there by now.
std::uint64_t disk_size(const Image& image) {
  const auto record = image.record();
  const qcow2::Chain& disk = image.disk();
  const bool ends_early =
      record && record->end && *record->end < disk.size() && !find_data(disk, *record->end);
  return ends_early ? *record->end : disk.size();
}

// The size of the output, after checking that the device is large enough.
std::uint64_t size_to_write(const RestoreOptions& options, const Image& image, std::uint64_t device_size) {
  const qcow2::Chain& disk = image.disk();
  if (disk.size() <= device_size) return disk_size(image);
  const std::string& name = image.reader().file().name();
  const std::string too_small = fmt::format("{}: too small: it has {} bytes, the disk in {} has {}",
                                            options.target, device_size, name, disk.size());
  if (!options.fit) fail(Errc::too_small, too_small);
  const std::uint64_t needed = filesystem_size(disk, name);
  if (needed > device_size) fail(Errc::too_small, fmt::format("{}, its file system {}", too_small, needed));
  refuse_data_past(disk, device_size, too_small);
  return std::min(device_size, disk_size(image));
}

RawSink::Options plan_target(const RestoreOptions& options, const Image& image, const RestoreTarget& target,
                             std::uint64_t target_size) {
  if (!target.is_in_place()) return {.size = image.disk().size()};
  if (target.is_file())
    return {.size = image.disk().size(), .overwrites = true, .zeroing = File::Zeroing::discard};
  if (!options.accept_metadata) refuse_metadata_only(image, options.target);
  return {.size = size_to_write(options, image, target_size),
          .overwrites = true,
          .zeroing = options.discard ? File::Zeroing::discard : RawSink::Options{}.zeroing};
}

std::uint64_t lost_bytes(const Image& image) {
  const auto record = image.record();
  return record ? record->lost_bytes : 0;
}

}  // namespace

RestoreFiles::RestoreFiles(const RestoreOptions& options)
    : image_(open_image(options)), target_(options.target, options.image.remote, options.changes_only) {
  if (!options.new_journal.empty()) journal_.emplace(options.new_journal, options.image.remote);
  for (RestoreTarget* target : targets())
    if (!target->is_remote()) refuse_partitions_on(*target, options);
}

std::vector<RestoreTarget*> RestoreFiles::targets() {
  std::vector<RestoreTarget*> targets{&target_};
  if (journal_) targets.push_back(&*journal_);
  return targets;
}

std::vector<std::string> RestoreFiles::naming_directories() const {
  std::vector<std::string> directories = target_.naming_directories();
  if (journal_) std::ranges::copy(journal_->naming_directories(), std::back_inserter(directories));
  return directories;
}

RestoreResult RestoreFiles::restore(const RestoreOptions& options) && {
  // Their threads are started when they are read from, and are to have given up rights.
  for (RestoreTarget* target : targets())
    if (target->is_remote()) refuse_partitions_on(*target, options);
  Image image = std::move(image_).read(options.transfer.threads);
  File& target = target_.file();
  const std::uint64_t target_size = target.size();
  RawSink::Options plan = plan_target(options, image, target_, target_size);
  plan.clears_head = !options.changes_only;
  if (journal_) make_journal(image, *journal_);
  if (options.transfer.progress) options.transfer.progress->begin("restore", image.data_bytes());
  if (!options.changes_only) target.expect_writes(image.data_bytes());
  DifferingWrites differing(target, [&] { RawSink::clear_head(target, plan); });
  if (target_.is_in_place() && target_.is_file()) differing.resize(plan.size);
  RawSink sink(options.changes_only ? differing : target, plan);
  CheckedSink checked(sink, image.begin_check());
  transfer(image.disk(), checked, options.transfer);
  image.finish();
  target_.commit();
  const std::uint64_t of_disk = plan.overwrites ? std::min(target.size(), image.disk().size()) : plan.size;
  return {plan.size,
          of_disk - plan.size,
          image.data_bytes(),
          image.contradicts_itself(),
          image.is_unchecked(),
          options.changes_only ? std::optional(differing.written()) : std::nullopt,
          lost_bytes(image)};
}

}  // namespace e2qcow::work
