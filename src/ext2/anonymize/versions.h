// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "ext2/anonymize/journal/journal_blocks.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Inodes and blocks as they are on the device, and in each copy that the journal has.
class Versions {
 public:
  // Both must outlive it.
  Versions(const Filesystem& filesystem, const JournalBlocks& journal)
      : filesystem_(filesystem), journal_(journal) {}

  std::vector<std::vector<std::byte>> of_inode(std::uint32_t inode) const;
  std::vector<std::vector<std::byte>> of_block(std::uint64_t block) const;

 private:
  const Filesystem& filesystem_;
  const JournalBlocks& journal_;
};

}  // namespace e2qcow::ext2
