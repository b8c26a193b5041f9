// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/remaining_text.h"

#include "ext2/texts/known_words.h"

namespace e2qcow::work {
namespace {

using ext2::TextKind;

bool looks_random(TextKind kind) {
  return kind == TextKind::name || kind == TextKind::xattr_name || kind == TextKind::encrypted_target ||
         kind == TextKind::encryption || kind == TextKind::hash_seed;
}

// Elsewhere everything has to be zero.
bool may_have_filler(TextKind kind) {
  return kind == TextKind::label || kind == TextKind::link_target || kind == TextKind::xattr_value;
}

// A single byte that is not zero: the dump keeps it after "." and "..", and after the target of a link, if
// there was one, because e2fsck reports it. No text fits in.
bool is_one_byte(const ext2::Text& text) {
  return text.kind == TextKind::slack && text.bytes.size() == 1;
}

}  // namespace

void RemainingText::add(const ext2::Text& text) {
  Counts& counts = counts_[static_cast<std::size_t>(text.kind)];
  if (ext2::is_kept(text) || is_one_byte(text)) {
    ++counts.kept;
  } else if (may_have_filler(text.kind) && ext2::is_filler(text.view())) {
    ++counts.filler;
  } else if (looks_random(text.kind)) {
    ++counts.undecided;
  } else {
    ++counts.left;
    if (first_left_.size() < limit_)
      first_left_.push_back({text.kind, text.owner, text.inode, text.offset, text.bytes.size()});
  }
}

std::uint64_t RemainingText::left() const {
  std::uint64_t sum = 0;
  for (const Counts& counts : counts_) sum += counts.left;
  return sum;
}

}  // namespace e2qcow::work
