// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/quota.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

// A node of the tree: numbers of pieces of the file. No file of quotas has this many.
constexpr std::uint32_t kMaxQuotaPieces = 1 << 24;

bool is_quota_node(std::span<const std::byte> piece) {
  for (std::size_t i = 0; i < piece.size(); i += sizeof(std::uint32_t))
    if (load_le<std::uint32_t>(piece, i) >= kMaxQuotaPieces) return false;
  return true;
}

// Source of the magics: libsupport/quotaio_v2.h
bool is_quota_header(std::span<const std::byte> piece) {
  constexpr std::array<std::uint32_t, 3> kMagics{0xd9c01f11, 0xd9c01927, 0xd9c03f14};
  return std::ranges::find(kMagics, load_le<std::uint32_t>(piece, 0)) != kMagics.end();
}

// Source: the kernel's fs/quota/quotaio_v2.h, struct qt_disk_dqdbheader, struct v2r1_disk_dqblk
struct QuotaLeaf {
  static constexpr std::size_t kHeader = 16;
  static constexpr std::size_t kEntry = 72;
  static constexpr std::array<std::size_t, 2> kTimes{56, 64};  // in an entry, which begins with the id
  static bool is_one(std::span<const std::byte> piece) {
    return load_le<std::uint32_t>(piece, 0) < kMaxQuotaPieces &&
           load_le<std::uint32_t>(piece, 4) < kMaxQuotaPieces &&
           load_le<std::uint16_t>(piece, 8) <= (piece.size() - kHeader) / kEntry &&
           is_zero(piece.subspan(10, 6));
  }
};

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
  const std::size_t used = load_le<std::uint16_t>(std::span<const std::byte>(piece), 8);
  std::size_t found = 0;
  for (std::size_t i = QuotaLeaf::kHeader; i + QuotaLeaf::kEntry <= piece.size(); i += QuotaLeaf::kEntry) {
    const auto entry = piece.subspan(i, QuotaLeaf::kEntry);
    if (is_zero(entry)) continue;
    if (++found > used) {
      clear(entry);
      continue;
    }
    clear(entry.subspan(4, 4));  // a pad
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
  constexpr std::size_t kFileHeader = 32;
  for (std::size_t i = 0; i < block.size() / QuotaTrees::kPiece; ++i) {
    const auto piece = block.subspan(i * QuotaTrees::kPiece, QuotaTrees::kPiece);
    const auto node = trees.find(number, i);
    if (is_quota_header(piece))
      clear(piece.subspan(kFileHeader));
    else if (!is_quota_node(piece) || (strict.is_strict() && !node))
      anonymize_leaf(strict, piece, tally);
    else if (node)
      reorder_node(strict.owners(), *node, piece);
  }
}

}  // namespace e2qcow::ext2
