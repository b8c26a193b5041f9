// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ext2/texts/text.h"

namespace e2qcow::work {

// What is in the places of an image where text may be, judged without the device: an anonymised dump has
// zeros or filler there, or a word that it keeps. Random names, seeds and salts look like real ones.
class RemainingText {
 public:
  explicit RemainingText(std::size_t limit) : limit_(limit) {}

  void add(const ext2::Text& text);

  struct Counts {
    std::uint64_t kept = 0;       // known words
    std::uint64_t filler = 0;     // zeros, or "x"
    std::uint64_t undecided = 0;  // that nothing distinguishes from what a dump puts in their place
    std::uint64_t left = 0;       // that an anonymised dump does not have
    std::uint64_t total() const { return kept + filler + undecided + left; }
  };
  const Counts& counts(ext2::TextKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  std::uint64_t left() const;

  // The first texts that are left, in the order in which they came.
  struct Left {
    ext2::TextKind kind;
    std::uint64_t owner;
    std::uint64_t inode;
    std::uint64_t offset;
    std::uint64_t length;
  };
  const std::vector<Left>& first_left() const { return first_left_; }

 private:
  std::size_t limit_;
  std::array<Counts, ext2::kTextKinds> counts_{};
  std::vector<Left> first_left_;
};

}  // namespace e2qcow::work
