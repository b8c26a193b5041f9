// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/fixed_texts.h"

#include <algorithm>

#include "base/bytes.h"
#include "ext2/structures/nowhere.h"
#include "ext2/structures/orphan_block.h"
#include "ext2/structures/quota_piece.h"

namespace e2qcow::ext2 {
namespace {

void visit_rest(const TextPlace& place, std::size_t used, const TextVisitor& visit) {
  visit_unused(place.part(used, place.bytes.size() - used), TextKind::slack, visit);
}

// Visits the runs of numbers of 32 bits that are not in use; `is_in_use` gets the offset of one.
template <typename Test>
void visit_other_numbers(const TextPlace& numbers, const TextVisitor& visit, Test is_in_use) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= numbers.bytes.size(); i += sizeof(std::uint32_t)) {
    if (i < numbers.bytes.size() && !is_in_use(i)) continue;
    visit_unused(numbers.part(begin, i - begin), TextKind::slack, visit);
    begin = std::min(i + sizeof(std::uint32_t), numbers.bytes.size());
  }
}

// The first entries that are not zero are in use, as many as the header says.
void visit_leaf(const TextPlace& piece, const TextVisitor& visit) {
  std::size_t left = QuotaLeaf::entries(piece.bytes);
  std::size_t end = QuotaLeaf::kHeader;
  for (; end + QuotaLeaf::kEntry <= piece.bytes.size() && left > 0; end += QuotaLeaf::kEntry) {
    const TextPlace entry = piece.part(end, QuotaLeaf::kEntry);
    if (is_zero(entry.bytes)) continue;
    --left;
    visit_unused(entry.part(QuotaLeaf::kPad, 4), TextKind::slack, visit);
  }
  visit_rest(piece, end, visit);
}

}  // namespace

void visit_descriptors(const Geometry& geometry, const TextPlace& place, std::uint64_t block,
                       const TextVisitor& visit) {
  visit_rest(place, geometry.descriptor_bytes_in(block), visit);
}

void visit_pointers(const TextPlace& place, std::uint64_t blocks, const TextVisitor& visit) {
  visit_other_numbers(place, visit, [&](std::size_t offset) {
    const auto block = load_le<std::uint32_t>(place.bytes, offset);
    return block < blocks || block == kNowhere;
  });
}

void visit_quota(const TextPlace& place, const TextVisitor& visit) {
  for (std::size_t i = 0; i + kQuotaPiece <= place.bytes.size(); i += kQuotaPiece) {
    const TextPlace piece = place.part(i, kQuotaPiece);
    if (is_quota_header(piece.bytes))
      visit_rest(piece, kQuotaFileHeader, visit);
    else if (QuotaLeaf::is_one(piece.bytes) && QuotaLeaf::entries(piece.bytes) > 0)
      visit_leaf(piece, visit);
    else if (!is_quota_node(piece.bytes))
      visit_unused(piece, TextKind::slack, visit);
  }
}

void visit_orphans(const TextPlace& place, std::uint32_t inodes, const TextVisitor& visit) {
  if (!OrphanBlock::is_one(place.bytes)) return visit_unused(place, TextKind::slack, visit);
  visit_other_numbers(place.part(0, place.bytes.size() - OrphanBlock::kTail), visit, [&](std::size_t offset) {
    return OrphanBlock::may_be_inode(place.bytes, offset, inodes);
  });
}

}  // namespace e2qcow::ext2
