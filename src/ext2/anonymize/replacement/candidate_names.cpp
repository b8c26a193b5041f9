// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/candidate_names.h"

#include <algorithm>

#include "base/hashing.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kVarying = 10;  // characters, at the end of a name
constexpr unsigned kRounds = 3;

void write_characters(std::uint64_t number, const Alphabet& alphabet, std::span<char> out) {
  for (char& c : out) {
    c = alphabet.characters[number & ((1U << alphabet.bits) - 1)];
    number >>= alphabet.bits;
  }
}

// What comes before the characters that vary.
void write_beginning(std::uint64_t state, const Alphabet& alphabet, std::span<char> name) {
  for (std::size_t end = name.size(), i = kVarying; i < end; i += kVarying)
    write_characters(next_number(state), alphabet, name.subspan(i - kVarying, std::min(kVarying, end - i)));
}

std::span<char> varying(std::span<char> name) {
  return name.last(std::min(name.size(), kVarying));
}

}  // namespace

void NameDraws::next(std::span<char> name) {
  if (!has_begun_) write_beginning(beginning_, alphabet_, name);
  has_begun_ = true;
  write_characters(next_number(state_), alphabet_, varying(name));
}

NumberedNames::NumberedNames(const Secret& secret, const Alphabet& alphabet, std::size_t length)
    : alphabet_(alphabet) {
  const Secret::Words words = secret.derived("numbered names", length).hash("");
  beginning_ = words.first;
  key_ = words.second;
  const auto bits = static_cast<unsigned>(std::min(length, kVarying)) * alphabet.bits;
  low_bits_ = bits / 2;
  high_bits_ = bits - low_bits_;
}

// A Feistel network: each half is changed by a function of the other, which can be undone, so that different
// numbers stay different.
std::uint64_t NumberedNames::shuffled(std::uint64_t number) const {
  const std::uint64_t low_mask = (std::uint64_t{1} << low_bits_) - 1;
  const std::uint64_t high_mask = (std::uint64_t{1} << high_bits_) - 1;
  std::uint64_t low = number & low_mask;
  std::uint64_t high = number >> low_bits_;
  std::uint64_t round_key = key_;
  for (unsigned i = 0; i < kRounds; ++i) {
    std::uint64_t state = high ^ next_number(round_key);
    low ^= next_number(state) & low_mask;
    state = low ^ next_number(round_key);
    high ^= next_number(state) & high_mask;
  }
  return high << low_bits_ | low;
}

void NumberedNames::get(std::uint64_t number, std::span<char> name) const {
  write_beginning(beginning_, alphabet_, name);
  write_characters(shuffled(number), alphabet_, varying(name));
}

}  // namespace e2qcow::ext2
