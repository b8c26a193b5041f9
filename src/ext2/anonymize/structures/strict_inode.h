// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "ext2/anonymize/replacement/strict_rules.h"

namespace e2qcow::ext2 {

// Replaces the owners and times of an inode, which may be less than a whole one; its checksum is left. What
// is stored in place of a time stays: the number of the next orphan, at most `inodes`; and, if the inode
// holds the value of an attribute, a checksum and a count.
void replace_owners_and_times(const StrictRules& strict, std::uint32_t inodes, bool is_value,
                              std::span<std::byte> inode);

}  // namespace e2qcow::ext2
