// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {

// The description of a file system that `info` prints.
struct Description {
  std::string label;
  std::string uuid;
  std::string last_mounted;
  std::string features;
  std::string state;
  std::uint32_t block_size = 0;
  std::uint64_t blocks = 0;
  std::uint64_t free_blocks = 0;
  std::uint64_t inodes = 0;
  std::uint64_t free_inodes = 0;
  std::uint32_t error_count = 0;
  bool needs_recovery = false;
  std::string external_journal;  // its UUID; empty if the journal is inside

  std::uint64_t size() const { return blocks * block_size; }
};
// Of an external journal.
std::string journal_uuid(const Superblock& superblock);
Description describe(const Superblock& superblock);

}  // namespace e2qcow::ext2
