// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/strict_rules.h"

#include <vector>

#include "base/bytes.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {

StrictRules::StrictRules(Strictness strictness, const Secret& secret, const Superblock& superblock)
    : is_strict_(strictness == Strictness::strict),
      uuids_(secret.derived("UUIDs")),
      owners_(secret.derived("owners")) {
  if (!is_strict_) return;
  std::vector<std::byte> uuid(sizeof superblock.raw.s_uuid);
  std::memcpy(uuid.data(), superblock.raw.s_uuid, uuid.size());
  replace_uuid(uuid);
  seed_difference_ = SeedDifference(checksum_seed(superblock) ^ crc32c(~0U, uuid));
}

void StrictRules::replace_uuid(std::span<std::byte> uuid) const {
  if (is_strict_ && !is_zero(uuid)) uuids_.replace(uuid);
}

std::int64_t StrictRules::time(std::int64_t seconds) const {
  if (!is_strict_) return seconds;
  const std::int64_t since_midnight = seconds % kDay;
  return seconds - since_midnight - (since_midnight < 0 ? kDay : 0);
}

SeedDifference StrictRules::seed_difference(std::span<const std::byte> old_uuid) const {
  std::vector<std::byte> uuid(old_uuid.begin(), old_uuid.end());
  replace_uuid(uuid);
  return SeedDifference(crc_difference(old_uuid, uuid));
}

}  // namespace e2qcow::ext2
