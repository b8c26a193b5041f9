// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// A text that outlives its visit.
struct CollectedText {
  TextKind kind;
  std::string bytes;
  std::uint64_t owner = 0;
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  friend bool operator==(const CollectedText&, const CollectedText&) = default;
  friend std::ostream& operator<<(std::ostream& stream, const CollectedText& text) {
    return stream << kind_name(text.kind) << " '" << text.bytes << "' owner " << text.owner << " inode "
                  << text.inode << " at " << text.offset;
  }
};
using Collected = std::vector<CollectedText>;

// What `work` visits.
template <typename Work>
Collected collected(Work work) {
  Collected texts;
  work([&](const Text& text) {
    texts.push_back({text.kind, std::string(text.view()), text.owner, text.inode, text.offset});
  });
  return texts;
}

}  // namespace e2qcow::ext2
