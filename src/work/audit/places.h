// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "ext2/texts/text.h"
#include "work/audit/private_texts.h"

namespace e2qcow::work {

// Strings that are too short to be looked for everywhere: random text may be the same. They are compared with
// the whole strings of the image in the place where they were: those of the same directory, link or file, or
// of the same block; and where even that says nothing, because many short names share a directory, with the
// string at the same offset.
class Places {
 public:
  explicit Places(std::uint32_t block_size) : block_size_(block_size) {}

  void add(const PrivateTexts::String& string);
  void prepare();
  // A text of the image.
  void compare(const ext2::Text& text);

  struct Match {
    std::uint64_t id;      // of the string
    std::uint64_t offset;  // in the image's disk
  };
  struct Result {
    std::vector<Match> matches;         // that are no chance
    std::uint64_t by_place = 0;         // strings that were compared with all in their place
    std::uint64_t by_offset = 0;        // strings that were compared with the one at their offset
    std::uint64_t not_judged = 0;       // strings of which a match says nothing
    std::uint64_t chance_matches = 0;   // of these
    double expected = 0;                // such matches, by chance
    bool has_too_many_matches = false;  // more than chance explains
  };
  // `accepted`: the number of matches by chance that is accepted in places, and again at offsets.
  Result judge(double accepted) const;

  std::size_t count() const { return strings_.size(); }
  // That each string takes, roughly.
  static constexpr std::uint64_t kBytesEach = 72;

 private:
  struct String {
    std::uint64_t key;  // of its place and its bytes
    std::uint64_t id;
    std::uint64_t offset;
  };
  // All strings of one length in one place.
  struct Group {
    std::uint64_t key;
    std::uint64_t strings = 0;
    double chance = 0;           // that one string of the image is one of them
    std::uint64_t compared = 0;  // strings of the image, except in bytes that should be zero
  };
  struct Candidate {
    Match match;
    std::size_t group;
    bool is_same_offset;
    bool in_unused;
  };

  std::uint64_t place_of(std::uint64_t owner, std::uint64_t offset) const;
  Group* group_of(std::uint64_t place, std::size_t length);
  void compare_string(const ext2::Text& text);

  std::uint32_t block_size_;
  std::vector<String> strings_;
  std::vector<Group> groups_;
  std::vector<Candidate> candidates_;
};

}  // namespace e2qcow::work
