// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/strict_superblock.h"

#include <ext2fs/ext2_fs.h>

#include <array>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

using Raw = ext2_super_block;

constexpr std::size_t kFilesystemUuidBytes = 16;
constexpr std::array kUuids{offsetof(Raw, s_uuid), offsetof(Raw, s_journal_uuid)};
constexpr std::array kOwnerPlaces{offsetof(Raw, s_def_resuid), offsetof(Raw, s_def_resgid)};

// 40 bits.
struct SplitTime {
  std::size_t low;
  std::size_t high;
};
constexpr std::array kTimes{
    SplitTime{offsetof(Raw, s_mtime), offsetof(Raw, s_mtime_hi)},
    SplitTime{offsetof(Raw, s_wtime), offsetof(Raw, s_wtime_hi)},
    SplitTime{offsetof(Raw, s_lastcheck), offsetof(Raw, s_lastcheck_hi)},
    SplitTime{offsetof(Raw, s_mkfs_time), offsetof(Raw, s_mkfs_time_hi)},
    SplitTime{offsetof(Raw, s_first_error_time), offsetof(Raw, s_first_error_time_hi)},
    SplitTime{offsetof(Raw, s_last_error_time), offsetof(Raw, s_last_error_time_hi)},
};

void round_time(const StrictRules& strict, std::span<std::byte> copy, const SplitTime& field) {
  const std::span<const std::byte> old = copy;
  const std::uint64_t seconds =
      load_le<std::uint32_t>(old, field.low) | std::uint64_t{load_le<std::uint8_t>(old, field.high)} << 32;
  const auto rounded = static_cast<std::uint64_t>(strict.time(static_cast<std::int64_t>(seconds)));
  store_le(copy, field.low, static_cast<std::uint32_t>(rounded));
  store_le(copy, field.high, static_cast<std::uint8_t>(rounded >> 32));
}

// A seed is made of a UUID when the file system gets the feature for it, and 0 before.
void replace_seed(const StrictRules& strict, std::span<std::byte> copy) {
  constexpr std::size_t kSeed = offsetof(Raw, s_checksum_seed);
  const auto seed = load_le<std::uint32_t>(std::span<const std::byte>(copy), kSeed);
  if (seed != 0) store_le(copy, kSeed, seed ^ strict.seed_difference().after(0));
}

}  // namespace

void replace_identity_of_superblock(const StrictRules& strict, std::span<std::byte> copy) {
  if (!strict.is_strict()) return;
  for (const std::size_t place : kUuids) strict.replace_uuid(copy.subspan(place, kFilesystemUuidBytes));
  replace_seed(strict, copy);
  for (const std::size_t place : kOwnerPlaces) {
    const std::uint32_t owner = load_le<std::uint16_t>(std::span<const std::byte>(copy), place);
    store_le(copy, place, static_cast<std::uint16_t>(strict.owner(owner)));
  }
  for (const SplitTime& field : kTimes) round_time(strict, copy, field);
}

}  // namespace e2qcow::ext2
