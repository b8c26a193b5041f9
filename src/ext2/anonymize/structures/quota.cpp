// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/quota.h"

#include <vector>

#include "base/bytes.h"
#include "ext2/structures/quota_piece.h"

namespace e2qcow::ext2 {
namespace {

// A time of less than a day marks an entry as used.
void replace_owner(const StrictRules& strict, std::span<std::byte> entry) {
  const std::span<const std::byte> old = entry;
  store_le(entry, 0, strict.owner(load_le<std::uint32_t>(old, 0)));
  for (const std::size_t place : QuotaLeaf::kTimes) {
    const auto rounded = strict.time(static_cast<std::int64_t>(load_le<std::uint64_t>(old, place)));
    if (rounded > 0) store_le(entry, place, static_cast<std::uint64_t>(rounded));
  }
}

void anonymize_leaf(const StrictRules& strict, std::span<std::byte> piece, Tally& tally) {
  if (!QuotaLeaf::is_one(piece)) {
    ++tally.not_parsed;
    return clear(piece);
  }
  const std::size_t used = QuotaLeaf::entries(piece);
  std::size_t found = 0;
  for (std::size_t i = QuotaLeaf::kHeader; i + QuotaLeaf::kEntry <= piece.size(); i += QuotaLeaf::kEntry) {
    const auto entry = piece.subspan(i, QuotaLeaf::kEntry);
    if (is_zero(entry)) continue;
    if (++found > used) {
      clear(entry);
      continue;
    }
    clear(entry.subspan(QuotaLeaf::kPad, 4));
    if (strict.is_strict()) replace_owner(strict, entry);
  }
}

void reorder_node(const OwnerPermutation& owners, const QuotaTrees::Node& node, std::span<std::byte> piece) {
  const std::vector<std::byte> before(piece.begin(), piece.end());
  for (std::size_t i = 0; i * sizeof(std::uint32_t) < piece.size(); ++i) {
    const std::size_t place = owners.digit(node.depth, node.higher, static_cast<std::uint8_t>(i));
    store_le(piece, place * sizeof(std::uint32_t), load_le<std::uint32_t>(before, i * sizeof(std::uint32_t)));
  }
}

}  // namespace

void anonymize_quota(const StrictRules& strict, const QuotaTrees& trees, std::uint64_t number,
                     std::span<std::byte> block, Tally& tally) {
  for (std::size_t i = 0; i < block.size() / kQuotaPiece; ++i) {
    const auto piece = block.subspan(i * kQuotaPiece, kQuotaPiece);
    const auto node = trees.find(number, i);
    if (is_quota_header(piece))
      clear(piece.subspan(kQuotaFileHeader));
    else if (!is_quota_node(piece) || (strict.is_strict() && !node))
      anonymize_leaf(strict, piece, tally);
    else if (node)
      reorder_node(strict.owners(), *node, piece);
  }
}

}  // namespace e2qcow::ext2
