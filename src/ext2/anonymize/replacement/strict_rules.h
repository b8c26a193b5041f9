// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ext2/anonymize/replacement/owner_permutation.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {

// Strict anonymity also replaces UUIDs and owners, and rounds times.
enum class Strictness { plain, strict };

// What becomes of UUIDs, owners and times, and of the checksums that begin from a UUID. If it is not strict,
// nothing changes.
class StrictRules {
 public:
  StrictRules(Strictness strictness, const Secret& secret, const Superblock& superblock);

  static constexpr std::int64_t kDay = 86'400;

  bool is_strict() const { return is_strict_; }

  // 16 bytes. Zeros, which are no UUID, stay; equal ones stay equal.
  void replace_uuid(std::span<std::byte> uuid) const;
  std::uint32_t owner(std::uint32_t id) const { return is_strict_ ? owners_(id) : id; }
  const OwnerPermutation& owners() const { return owners_; }
  // Seconds, rounded down to a day.
  std::int64_t time(std::int64_t seconds) const;

  // Of the metadata of the file system.
  SeedDifference seed_difference() const { return seed_difference_; }
  // Of checksums that begin from such a UUID, as it was.
  SeedDifference seed_difference(std::span<const std::byte> old_uuid) const;

 private:
  bool is_strict_;
  Secret uuids_;
  OwnerPermutation owners_;
  SeedDifference seed_difference_;
};

}  // namespace e2qcow::ext2
