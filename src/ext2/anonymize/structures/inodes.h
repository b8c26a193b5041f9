// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "ext2/anonymize/names/directory_rules.h"
#include "ext2/anonymize/replacement/secret.h"
#include "ext2/anonymize/replacement/strict_rules.h"
#include "ext2/anonymize/replacement/tally.h"
#include "ext2/anonymize/structures/xattrs.h"

namespace e2qcow::ext2 {

// What the replacement of an inode depends on besides the inode.
struct InodeRules {
  const Secret& secret;
  const StrictRules& strict;
  std::uint64_t blocks = 0;  // of the file system
  std::uint32_t inodes = 0;  // the same
  bool has_checksums = false;
  std::uint32_t seed = 0;            // of checksums
  bool has_value_checksums = false;  // inodes may hold values of attributes
  std::function<void(std::uint32_t directory, std::span<std::byte> entries, Tally&)> anonymize_entries;
  ValueChecksums checksums_of_value;
  std::function<std::uint32_t(std::uint64_t size)> checksum_of_zeros;  // as values of attributes have it
};

// Replaces what an inode holds of targets, names, values and contents, and clears what is not in use.
// `inode` has all its bytes, or as many as a fast commit stores.
void anonymize_inode(const InodeRules& rules, std::uint32_t number, std::span<std::byte> inode, Tally& tally);

// Whether the bytes are those of an inode: with checksums, if its own is right; or if at most one of its
// fields is impossible.
bool is_plausible_inode(const InodeRules& rules, std::uint32_t number, std::span<const std::byte> inode);
// The same by its checksum alone; true if there are none.
bool has_right_checksum(const InodeRules& rules, std::uint32_t number, std::span<const std::byte> inode);
// The same where there may be no table of inodes: false if there are none.
inline bool is_proven_inode(const InodeRules& rules, std::uint32_t number, std::span<const std::byte> inode) {
  return rules.has_checksums && has_right_checksum(rules, number, inode);
}

// The target of a link: each byte becomes 'x', but '/' stays, and so does where it ends.
void anonymize_target(std::span<std::byte> target);
// The same for one that is encrypted, which begins with its length.
void anonymize_encrypted_target(const Secret& secret, std::span<std::byte> target);

}  // namespace e2qcow::ext2
