// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <numeric>

#include "ext2/anonymize/replacement/secret.h"

namespace e2qcow::ext2 {

// The bytes 0, 1, 2 ... or others, if `first` is another number.
inline Secret test_secret(std::uint8_t first = 0) {
  Secret::Bytes bytes;
  std::iota(bytes.begin(), bytes.end(), first);
  return Secret(bytes);
}

}  // namespace e2qcow::ext2
