// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "ext2/anonymize/replacement/secret.h"

namespace e2qcow::ext2 {

// A keyed permutation of the ids of users, groups and projects. 0, which is root, and all ones, which is no
// id, stay. Each byte is permuted by itself, in a way that depends on the higher bytes. So ids that begin
// alike still do: the tree of a quota file, whose nodes are indexed by the bytes of ids, keeps its shape; and
// an id of 16 bits still is one.
class OwnerPermutation {
 public:
  static constexpr unsigned kDigits = 4;  // bytes of an id

  explicit OwnerPermutation(const Secret& secret) : secret_(secret) {}

  std::uint32_t operator()(std::uint32_t id) const;
  // What becomes of a byte after `count` higher bytes, which are `higher`.
  std::uint8_t digit(unsigned count, std::uint32_t higher, std::uint8_t old) const;

 private:
  Secret secret_;
};

}  // namespace e2qcow::ext2
