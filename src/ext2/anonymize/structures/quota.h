// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "ext2/anonymize/replacement/strict_rules.h"
#include "ext2/anonymize/replacement/tally.h"
#include "ext2/anonymize/structures/quota_tree.h"

namespace e2qcow::ext2 {

// Clears what is not in use in a block of a quota file. If it is strict, entries get other owners, and nodes
// of the tree, as they are indexed by ids, another order.
void anonymize_quota(const StrictRules& strict, const QuotaTrees& trees, std::uint64_t number,
                     std::span<std::byte> block, Tally& tally);

}  // namespace e2qcow::ext2
