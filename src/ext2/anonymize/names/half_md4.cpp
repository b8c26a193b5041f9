// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/half_md4.h"

#include <algorithm>
#include <bit>
#include <span>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

// Vectors as gcc and clang have them on all processors.
using Vector [[gnu::vector_size(16)]] = std::uint32_t;

// A number for each name. Two vectors, as each step waits for the one before.
struct Lanes {
  Vector first;
  Vector second;
};
static_assert(sizeof(Lanes) == sizeof(HalfMd4::Hashes));

Lanes operator+(const Lanes& a, const Lanes& b) {
  return {a.first + b.first, a.second + b.second};
}
Lanes operator^(const Lanes& a, const Lanes& b) {
  return {a.first ^ b.first, a.second ^ b.second};
}
Lanes operator&(const Lanes& a, const Lanes& b) {
  return {a.first & b.first, a.second & b.second};
}
Lanes all(std::uint32_t value) {
  return {Vector{} + value, Vector{} + value};
}
Lanes rotated(const Lanes& value, int bits) {
  return {value.first << bits | value.first >> (32 - bits),
          value.second << bits | value.second >> (32 - bits)};
}

constexpr std::size_t kWord = sizeof(std::uint32_t);
constexpr std::size_t kWords = 8;  // go through the rounds at once
constexpr std::size_t kPiece = kWords * kWord;
using Words = std::array<Lanes, kWords>;

// What ends a directory for readdir() is no hash. Source: the kernel's fs/ext4/hash.c
constexpr std::uint32_t kEnd = 0x7fffffffU << 1;

// Up to four bytes as a number, the first byte the highest, below a part of `pad`.
std::uint32_t word_of(const char* text, std::size_t bytes, std::uint32_t pad) {
  if (bytes == kWord) return load_be<std::uint32_t>(std::as_bytes(std::span(text, kWord)), 0);
  for (std::size_t i = 0; i < bytes; ++i) pad = pad << 8 | static_cast<unsigned char>(text[i]);
  return pad;
}

// The names from `begin` on; what is missing has the length. Source: the kernel's fs/ext4/hash.c,
// str2hashbuf_unsigned()
Words words_of(std::string_view names, std::size_t length, std::size_t begin) {
  const std::size_t left = length - begin;
  const std::uint32_t pad = (left & 0xff) * 0x01010101U;
  Words words;
  words.fill(all(pad));
  for (std::size_t at = 0; at < std::min(left, kPiece); at += kWord) {
    const std::size_t bytes = std::min(kWord, left - at);
    HalfMd4::Hashes of_names;
    for (std::size_t name = 0; name < HalfMd4::kNames; ++name)
      of_names[name] = word_of(names.data() + name * length + begin + at, bytes, pad);
    words[at / kWord] = std::bit_cast<Lanes>(of_names);
  }
  return words;
}

struct State {
  Lanes a, b, c, d;
};

// Of MD4, with half of the steps. Source: RFC 1320; the order of the words: the kernel's lib/halfmd4.c
template <typename Mix>
void round_of(State& s, const Words& words, const std::array<std::size_t, kWords>& order,
              std::uint32_t constant, const std::array<int, 4>& shifts, Mix mix) {
  const auto step = [&](Lanes& a, const Lanes& b, const Lanes& c, const Lanes& d, std::size_t i) {
    a = rotated(a + mix(b, c, d) + words[order[i]] + all(constant), shifts[i % 4]);
  };
  for (std::size_t i = 0; i < kWords; i += 4) {
    step(s.a, s.b, s.c, s.d, i);
    step(s.d, s.a, s.b, s.c, i + 1);
    step(s.c, s.d, s.a, s.b, i + 2);
    step(s.b, s.c, s.d, s.a, i + 3);
  }
}

void transform(State& state, const Words& words) {
  State s = state;
  round_of(s, words, {0, 1, 2, 3, 4, 5, 6, 7}, 0, {3, 7, 11, 19},
           [](const Lanes& x, const Lanes& y, const Lanes& z) { return z ^ (x & (y ^ z)); });
  round_of(s, words, {1, 3, 5, 7, 0, 2, 4, 6}, 0x5a827999, {3, 5, 9, 13},
           [](const Lanes& x, const Lanes& y, const Lanes& z) { return (x & y) + ((x ^ y) & z); });
  round_of(s, words, {3, 7, 2, 6, 1, 5, 0, 4}, 0x6ed9eba1, {3, 9, 11, 15},
           [](const Lanes& x, const Lanes& y, const Lanes& z) { return x ^ y ^ z; });
  state.a = state.a + s.a;
  state.b = state.b + s.b;
  state.c = state.c + s.c;
  state.d = state.d + s.d;
}

}  // namespace

HalfMd4::HalfMd4(const Seed& seed) : begin_(seed) {
  const bool is_default = std::ranges::all_of(seed, [](std::uint32_t word) { return word == 0; });
  if (is_default) begin_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
}

HalfMd4::Hashes HalfMd4::of(std::string_view names, std::size_t length) const {
  State state{all(begin_[0]), all(begin_[1]), all(begin_[2]), all(begin_[3])};
  for (std::size_t begin = 0; begin < length; begin += kPiece)
    transform(state, words_of(names, length, begin));
  Hashes hashes = std::bit_cast<Hashes>(state.b);
  for (std::uint32_t& hash : hashes) {
    hash &= ~1U;
    if (hash == kEnd) hash -= 2;
  }
  return hashes;
}

}  // namespace e2qcow::ext2
