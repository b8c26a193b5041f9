// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace e2qcow::ext2 {

// What all new names and numbers of an anonymised dump are drawn from: the same secret gives the same ones,
// and without it nobody can tell from a new name what the old one was.
class Secret {
 public:
  static constexpr std::size_t kBytes = 32;
  using Bytes = std::array<std::uint8_t, kBytes>;

  static Secret random();
  explicit Secret(const Bytes& bytes) : bytes_(bytes) {}

  const Bytes& bytes() const { return bytes_; }

  // Another secret, for one purpose; it tells nothing of this one. (BLAKE2b)
  Secret derived(std::string_view purpose, std::uint64_t number = 0) const;

  // A keyed hash of the text. (SipHash-2-4)
  struct Words {
    std::uint64_t first;
    std::uint64_t second;
  };
  Words hash(std::span<const std::byte> text) const;
  Words hash(std::string_view text) const { return hash(std::as_bytes(std::span(text))); }

  // Replaces each byte by one that depends on all of them.
  void replace(std::span<std::byte> bytes) const;

  // Tells whether two dumps have the same secret, and nothing else.
  std::array<std::uint8_t, 8> fingerprint() const;

 private:
  Bytes bytes_;
};

}  // namespace e2qcow::ext2
