// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <span>

#include "ext2/anonymize/replacement/strict_rules.h"

namespace e2qcow::ext2 {

// Replaces the UUIDs, owners and times in a copy of the superblock, 1024 bytes; its own checksum is left.
void replace_identity_of_superblock(const StrictRules& strict, std::span<std::byte> copy);

}  // namespace e2qcow::ext2
