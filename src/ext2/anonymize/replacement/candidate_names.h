// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string_view>

#include "ext2/anonymize/replacement/secret.h"

namespace e2qcow::ext2 {

// The characters of new names. Names in directories that ignore case are made of those that case folding
// leaves alone.
struct Alphabet {
  std::string_view characters;
  unsigned bits;  // the number of characters is 2 to this power
};
inline constexpr Alphabet kMixed{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+", 6};
inline constexpr Alphabet kFolded{"abcdefghijklmnopqrstuvwxyz012345", 5};

// The endless sequence of candidates for one old name, all drawn from its keyed hash. They differ in their
// last four characters only.
class NameDraws {
 public:
  NameDraws(Secret::Words of_old_name, const Alphabet& alphabet)
      : alphabet_(alphabet), state_(of_old_name.first), beginning_(of_old_name.second) {}

  // Writes what all candidates begin with.
  void begin(std::span<char> name) const;
  // Writes the rest of the next one. The length of `name` must be the same each time.
  void next(std::span<char> name);

 private:
  const Alphabet& alphabet_;
  std::uint64_t state_;
  std::uint64_t beginning_;
};

// Numbered names of one length, no two of which are the same.
class NumberedNames {
 public:
  NumberedNames(const Secret& secret, const Alphabet& alphabet, std::size_t length);

  // How many there are.
  std::uint64_t count() const { return std::uint64_t{1} << (low_bits_ + high_bits_); }
  // `name` has the length.
  void get(std::uint64_t number, std::span<char> name) const;

 private:
  std::uint64_t shuffled(std::uint64_t number) const;

  const Alphabet& alphabet_;
  std::uint64_t beginning_;
  std::uint64_t key_;
  unsigned low_bits_;
  unsigned high_bits_;
};

}  // namespace e2qcow::ext2
