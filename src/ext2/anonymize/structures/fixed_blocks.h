// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ext2/anonymize/replacement/secret.h"
#include "ext2/anonymize/replacement/strict_rules.h"
#include "ext2/anonymize/replacement/tally.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// What superblocks get instead of what they had.
struct NewIdentity {
  const Secret& secret;
  const StrictRules& strict;
  std::array<std::uint32_t, 4> hash_seed;
};

// A copy of the superblock, 1024 bytes: its texts go or are replaced, and so is the seed of its hashes.
// Zeros if it is none.
void anonymize_superblock(const NewIdentity& identity, std::span<std::byte> copy, Tally& tally);

// A block of group descriptors; `used` is how many bytes of it are in use. Of descriptors that
// name blocks outside of the file system, the other fields become zeros.
void anonymize_descriptors(const Geometry& geometry, std::size_t used, std::span<std::byte> block,
                           Tally& tally);

// A bitmap of blocks or inodes: what is past the end of its group becomes zeros if it is not all ones. If it
// is not proven that the block is the bitmap, it may be any: it becomes zeros if it does not look like one.
struct Bitmap {
  bool is_of_inodes;
  std::uint64_t group;
  bool is_proven;
};
void anonymize_bitmap(const Filesystem& filesystem, const Bitmap& bitmap, std::span<std::byte> bytes,
                      Tally& tally);

// The block of multiple mount protection: without names.
void anonymize_mmp(const StrictRules& strict, bool has_checksums, std::span<std::byte> block, Tally& tally);

}  // namespace e2qcow::ext2
