// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/xxh3_avx2.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void e2qcow_xxh3_avx2(const void* bytes, size_t length, unsigned char digest[16]) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, length));
  memcpy(digest, canonical.digest, sizeof canonical.digest);
}
