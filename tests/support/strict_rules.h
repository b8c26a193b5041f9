// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>

#include "ext2/anonymize/replacement/strict_rules.h"
#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {

// Of a file system whose UUID is 'u' sixteen times.
inline StrictRules test_rules(Strictness strictness) {
  Superblock superblock{};
  std::ranges::fill(superblock.raw.s_uuid, std::uint8_t{'u'});
  return {strictness, test_secret(), superblock};
}

}  // namespace e2qcow::ext2
