// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

// Digests by which decay shows. Only SHA-256 withstands somebody who chooses the bytes.
namespace e2qcow {

// The numbers are written into images: append, never change.
enum class DigestKind : std::uint8_t { xxh3 = 1, sha256 = 2 };

// Absent for the number of a kind that only a later version knows.
std::optional<DigestKind> digest_kind(std::uint64_t number);
std::string_view digest_name(DigestKind kind);

// Bytes in a digest of this kind: XXH3 has 128 bits here.
constexpr std::size_t digest_size(DigestKind kind) {
  return kind == DigestKind::xxh3 ? 16 : 32;
}

// Of any kind; the bytes after those of the kind are zeros.
struct Digest {
  std::array<std::byte, 32> bytes{};
  friend bool operator==(const Digest&, const Digest&) = default;
};

Digest digest_of(DigestKind kind, std::span<const std::byte> bytes);

// The same for bytes that come in pieces.
class Hasher {
 public:
  explicit Hasher(DigestKind kind);
  Hasher(Hasher&&) noexcept;
  ~Hasher();

  void add(std::span<const std::byte> bytes);
  Digest finish();  // once

 private:
  struct State;
  DigestKind kind_;
  std::unique_ptr<State> state_;
};

}  // namespace e2qcow
