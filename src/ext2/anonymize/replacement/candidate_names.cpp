// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/candidate_names.h"

#include <algorithm>

#include "base/hashing.h"

namespace e2qcow::ext2 {
namespace {

// Characters that are made of one number.
constexpr std::size_t kOfNumber = 10;
// Characters that vary, at the end of a name: of candidates for one old name, and of numbered names.
constexpr std::size_t kDrawn = 4;
constexpr std::size_t kNumbered = kOfNumber;
constexpr unsigned kRounds = 3;

void write_characters(std::uint64_t number, const Alphabet& alphabet, std::span<char> out) {
  for (char& c : out) {
    c = alphabet.characters[number & ((1U << alphabet.bits) - 1)];
    number >>= alphabet.bits;
  }
}

std::span<char> last_of(std::span<char> name, std::size_t characters) {
  return name.last(std::min(name.size(), characters));
}

// What comes before the characters that vary.
void write_beginning(std::uint64_t state, const Alphabet& alphabet, std::span<char> name,
                     std::size_t varying) {
  auto rest = name.first(name.size() - last_of(name, varying).size());
  while (!rest.empty()) {
    const auto piece = rest.first(std::min(kOfNumber, rest.size()));
    write_characters(next_number(state), alphabet, piece);
    rest = rest.subspan(piece.size());
  }
}

}  // namespace

void NameDraws::begin(std::span<char> name) const {
  write_beginning(beginning_, alphabet_, name, kDrawn);
}

void NameDraws::next(std::span<char> name) {
  write_characters(next_number(state_), alphabet_, last_of(name, kDrawn));
}

NumberedNames::NumberedNames(const Secret& secret, const Alphabet& alphabet, std::size_t length)
    : alphabet_(alphabet) {
  const Secret::Words words = secret.derived("numbered names", length).hash("");
  beginning_ = words.first;
  key_ = words.second;
  const auto bits = static_cast<unsigned>(std::min(length, kNumbered)) * alphabet.bits;
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
  write_beginning(beginning_, alphabet_, name, kNumbered);
  write_characters(shuffled(number), alphabet_, last_of(name, kNumbered));
}

}  // namespace e2qcow::ext2
