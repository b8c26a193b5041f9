// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/file/avoiding_file.h"
#include "base/file/file_window.h"
#include "base/file/posix_file.h"
#include "base/file/salvaging_file.h"
#include "base/rescue_map.h"
#include "base/storage.h"
#include "ext2/interpretation/superblock_search.h"
#include "ext2/selection/select.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::cli {

// The options that say where the file system is and how to read it.
struct InputOptions {
  std::string path;
  std::optional<std::uint64_t> offset;
  std::optional<int> partition;
  ext2::SuperblockChoice superblock;
  unsigned retries = 1;
  bool strict = false;
  bool force = false;
  std::string bad_blocks;  // a map file of what must not be touched; empty: none
};
void add_input_options(CLI::App& command, InputOptions& options);

// An opened file system, with all it stands on; or, where none was found and the user insists, a device.
class DeviceInput {
 public:
  // Refuses what is mounted read-write unless forced.
  explicit DeviceInput(const InputOptions& options);

  std::uint64_t device_size() const { return device_->size(); }
  Extent part() const { return part_; }  // of the device

  // Where the file system is stored.
  const std::vector<StoredRange>& storage() const { return storage_; }
  const SalvagingFile& file() const { return *salvaging_; }
  const ext2::Filesystem* filesystem() const { return filesystem_.get(); }

  // What the user's map says of the device; null where there is none.
  const RescueMap* known() const { return known_ ? &*known_ : nullptr; }

  // Whether the device may die while it is read.
  bool may_be_dying() const { return avoiding_ != nullptr || device_->is_block_device(); }

  // What a dump of the device holds. Without a file system: where such things as labels and partition tables
  // stand, and what else libblkid recognises.
  ext2::SelectedExtents select(const ext2::SelectOptions& options, ext2::Findings& findings) const;

 private:
  void open_filesystem(const InputOptions& options, const ext2::Superblock& superblock);

  std::unique_ptr<PosixFile> device_;
  Extent part_;  // of the device
  bool superblock_is_chosen_;
  std::vector<StoredRange> storage_;
  std::optional<RescueMap> known_;
  std::unique_ptr<AvoidingFile> avoiding_;  // null where all may be touched
  std::unique_ptr<FileWindow> window_;
  std::unique_ptr<SalvagingFile> salvaging_;
  std::unique_ptr<ext2::Filesystem> filesystem_;
};

}  // namespace e2qcow::cli
