// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <optional>
#include <string>
#include <vector>

#include "work/image.h"
#include "work/restore_target.h"

namespace e2qcow::work {

struct RestoreOptions {
  ImageOptions image{};
  std::string target{};  // a file, replaced at the very end, a block device, or a disk on a server
  TransferOptions transfer{};
  // Permissions for block devices and disks on servers:
  bool accept_metadata = false;    // an image without the contents of files
  bool accept_partitions = false;  // to overwrite a partition table
  bool fit = false;                // to be too small for the disk, but not for its file system
  bool discard = false;            // what is zero, instead of writing zeros
  bool changes_only = false;       // read what is there, and write what differs; a file is updated in place
  // A device, or file, that becomes an empty journal for the file system; empty: none. Errc::refused if the
  // file system has its journal inside, or cannot do without what the journal had.
  std::string new_journal{};
};

struct RestoreResult {
  std::uint64_t size = 0;        // of what was written
  std::uint64_t left_alone = 0;  // the rest of the disk, after the file system: it was not in the dump
  std::uint64_t data_bytes = 0;
  bool contradicts_itself = false;               // the image, in what its disk does not depend on
  bool is_unchecked = false;                     // what was read: see Image::is_unchecked()
  std::optional<std::uint64_t> changed_bytes{};  // with changes_only: what was written or cleared
  std::uint64_t lost_bytes = 0;                  // unreadable when the image was made, and zeros now
};

// The files for restoring an image: opened, but no byte of the image was read.
class RestoreFiles {
 public:
  // Refuses targets that are in use or hold the image.
  explicit RestoreFiles(const RestoreOptions& options);

  // The directories in which the target gets its name.
  std::vector<std::string> naming_directories() const;

  // Writes the disk in the image to the target.
  RestoreResult restore(const RestoreOptions& options) &&;

 private:
  std::vector<RestoreTarget*> targets();

  ImageFiles image_;
  RestoreTarget target_;
  std::optional<RestoreTarget> journal_;
};

}  // namespace e2qcow::work
