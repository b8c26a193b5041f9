// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ext2/anonymize/replacement/secret.h"
#include "ext2/anonymize/replacement/strict_rules.h"
#include "ext2/anonymize/replacement/tally.h"

namespace e2qcow::ext2 {

// The checksum of the value that an inode holds, as it is and as it will be.
struct ValueChecksum {
  std::uint32_t before;
  std::uint32_t after;
};
// In all versions of the inode, on the device and in the journal.
using ValueChecksums = std::function<std::vector<ValueChecksum>(std::uint32_t inode)>;

// A list of extended attributes and the area with their values.
struct XattrArea {
  std::span<std::byte> bytes;      // from the first entry to the end
  std::uint64_t values_begin = 0;  // what offsets of values count from, in bytes before `bytes`
  const Secret& secret;            // of this place
  const Secret& contexts;          // of encryption: equal ones stay equal in the whole file system
  // Replaces the contents of the attribute "data", a part of a file, directory or link that is in its inode.
  std::function<void(std::span<std::byte>, Tally&)> replace_data;
  ValueChecksums checksums_of_value;
  const StrictRules& strict;  // for the owners in ACLs
};

// Replaces names that are not well known, so that their order stays, and values but those of ACLs, and clears
// everything else. Source of the fields: <ext2fs/ext2_ext_attr.h>; of the hash: lib/ext2fs/ext_attr.c
void anonymize_xattrs(const XattrArea& area, Tally& tally);

// The same for a block of attributes, with its header and its checksum.
void anonymize_xattr_block(const XattrArea& area, const Checksums& checksums, std::span<std::byte> block,
                           Tally& tally);

}  // namespace e2qcow::ext2
