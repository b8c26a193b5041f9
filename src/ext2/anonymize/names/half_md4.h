// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace e2qcow::ext2 {

// The hashes of several names of one length at once, which takes hardly longer than one alone. Most new names
// are drawn in vain, and the default hash of ext4 is this one.
class HalfMd4 {
 public:
  static constexpr std::size_t kNames = 8;
  using Seed = std::array<std::uint32_t, 4>;
  using Hashes = std::array<std::uint32_t, kNames>;

  // `seed` is the superblock's; of zeros: the default.
  explicit HalfMd4(const Seed& seed);

  // As NameHash::of() has them, signed or not, if all is ASCII. `names` are kNames names of `length` bytes,
  // one behind the other.
  Hashes of(std::string_view names, std::size_t length) const;

 private:
  Seed begin_;
};

}  // namespace e2qcow::ext2
