// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "e2image_compat/complaint.h"
#include "e2image_compat/options.h"
#include "ext2/selection/findings.h"
#include "ext2/structures/filesystem.h"
#include "work/device.h"

namespace e2qcow::compat {

// Refuses a device that is mounted read-write if the image would be inconsistent, as e2image does.
void check_mounts(const Options& options);

// The message of e2image if it cannot open the source for this reason, a com_err number.
Complaint no_filesystem(const Options& options, long reason);

// The file system to copy, with everything below it.
class Source {
 public:
  // Throws a Complaint in e2image's words if there is no file system.
  explicit Source(const Options& options);

  const work::Device& device() const { return device_; }
  const SalvagingFile& file() const { return device_.file(); }
  const ext2::Filesystem& filesystem() const { return *device_.filesystem(); }
  std::uint32_t block_size() const { return filesystem().geometry.block_size(); }
  // As the superblock gives it; the device may end before.
  std::uint64_t blocks() const { return filesystem().geometry.claimed_blocks(); }
  std::uint64_t size() const { return blocks() * block_size(); }
  work::Stored stored() const { return device_.stored(); }

 private:
  work::Device device_;
};

// Reports unreadable blocks and problems of the file system. Returns the exit status: 1 if something was
// lost.
int report(const Options& options, const Source& source, const ext2::Findings& findings);

}  // namespace e2qcow::compat
