// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file/avoiding_file.h"
#include "base/file/direct_file.h"
#include "base/file/file_window.h"
#include "base/file/posix_file.h"
#include "base/file/salvaging_file.h"
#include "ext2/interpretation/superblock_search.h"
#include "ext2/structures/filesystem.h"
#include "nbd/options.h"
#include "work/notice.h"
#include "work/refusals.h"
#include "work/rescue_map.h"

namespace e2qcow::work {

// No file system begins where one was searched for, but others begin elsewhere on the device
// (Errc::begins_elsewhere).
class BeginsElsewhere : public std::system_error {
 public:
  BeginsElsewhere(std::string text, std::vector<std::uint64_t> offsets)
      : std::system_error(make_error_code(Errc::begins_elsewhere)),
        text_(std::make_shared<std::string>(std::move(text))),
        offsets_(std::move(offsets)) {}
  const char* what() const noexcept override { return text_->c_str(); }
  const std::vector<std::uint64_t>& offsets() const { return offsets_; }  // bytes, on the device

 private:
  std::shared_ptr<std::string> text_;  // copying an exception must not throw
  std::vector<std::uint64_t> offsets_;
};

// The location of the file system, and how to read it.
struct DeviceOptions {
  std::string path{};
  std::optional<std::uint64_t> offset{};  // where the file system begins; or:
  std::optional<int> partition{};
  std::optional<std::uint32_t> sector_size{};  // in which the partition table counts; absent: found out
  ext2::SuperblockChoice superblock{};
  unsigned retries = 1;         // of an unreadable block, after its first failure
  bool strict = false;          // unreadable blocks are errors
  bool accept_mounted = false;  // read-write
  bool accept_stale = false;    // with accept_mounted: even if another device has the current contents
  bool is_frozen = false;       // mounted read-write, but nothing is written to it
  bool past_cache = false;      // with is_frozen: read what the kernel may not have in the device's cache
  bool accept_no_filesystem = false;  // unless a superblock was chosen
  std::string journal{};              // the device of an external journal; empty: found by its UUID
  std::string bad_blocks{};           // a map file of what must not be touched; empty: none
  nbd::Options remote{};              // for disks on servers
  // The disk to read instead of the device's own bytes; it may be absent. Partitions are not looked for in
  // it.
  std::function<std::unique_ptr<ReadableFile>()> open_disk = [] { return nullptr; };
  Notice notice = ignore_notice;
};

// An opened file system with everything below it; or, if none was found and that is accepted, a device.
class Device {
 public:
  // Throws Errc::mounted, not_ext2, no_superblock, has_partitions and others.
  explicit Device(const DeviceOptions& options);

  const std::string& name() const { return device_->name(); }
  std::uint64_t size() const { return disk_or_device().size(); }
  Extent part() const { return part_; }  // of the device, from the beginning of the file system on
  Stored stored() const { return {name(), storage_}; }

  // The part, with zeros for unreadable blocks.
  const SalvagingFile& file() const { return *salvaging_; }
  const ext2::Filesystem* filesystem() const { return filesystem_.get(); }
  // Whether it is mounted read-write and not frozen, or another program may change it.
  bool is_in_use() const { return is_in_use_; }
  // That of the file system's journal; null if it has none of its own, or it was not found.
  const Device* journal() const { return journal_.get(); }
  bool superblock_is_chosen() const { return superblock_is_chosen_; }

  // What the user's map says of the device; null if there is none.
  const RescueMap* known() const { return known_ ? &*known_ : nullptr; }
  // Whether the device may die while it is read.
  bool may_be_dying() const { return avoiding_ != nullptr || is_block_device(); }
  // Whether the kernel keeps what was read, so that it is there when it is read again.
  bool is_cached() const { return !direct_; }
  // Whether what is read is what is on the disk, and not what a kernel that has it mounted has in memory.
  bool reads_the_disk() const { return direct_ || !is_block_device(); }

  // The ranges of the part with labels, partition tables and whatever else libblkid recognises.
  std::vector<Extent> recognised_areas() const;
  // What else a copy of the device needs, so that the part is found in it: its partition table, if that was
  // used.
  std::vector<Extent> partition_table() const;
  // The parts that could not be read so far, and those of the file system past the end of the device.
  std::uint64_t lost_bytes() const;

 private:
  bool is_block_device() const { return local_ != nullptr && local_->is_block_device(); }
  const ReadableFile& disk_or_device() const {
    if (disk_) return *disk_;
    return direct_ ? static_cast<const ReadableFile&>(*direct_) : *device_;
  }
  // The whole of it, without what must not be touched.
  const ReadableFile& readable_disk() const { return avoiding_ ? *avoiding_ : disk_or_device(); }
  void look_at_users(const DeviceOptions& options);
  void avoid_bad_blocks(const std::string& map_file);
  void open_filesystem(const DeviceOptions& options);
  void refuse_other(const ext2::Superblock& superblock, const DeviceOptions& options) const;
  [[noreturn]] void fail_without_superblock(const DeviceOptions& options,
                                            const ext2::SuperblockSearch& search) const;
  void use(const DeviceOptions& options, const ext2::Superblock& superblock);
  void open_journal(const DeviceOptions& options);

  std::unique_ptr<ReadableFile> device_;
  const PosixFile* local_;              // the same; null: it is on a server
  std::unique_ptr<ReadableFile> disk_;  // null: the device itself
  std::unique_ptr<DirectFile> direct_;  // null: it is not mounted
  Extent part_;
  bool is_partition_;  // found in the partition table
  bool superblock_is_chosen_;
  std::vector<StoredRange> storage_;
  bool is_in_use_ = false;
  std::optional<RescueMap> known_;
  std::unique_ptr<AvoidingFile> avoiding_;  // null: everything may be touched
  std::unique_ptr<FileWindow> window_;
  std::unique_ptr<SalvagingFile> salvaging_;
  std::unique_ptr<Device> journal_;  // null: see journal()
  std::unique_ptr<ext2::Filesystem> filesystem_;
};

}  // namespace e2qcow::work
