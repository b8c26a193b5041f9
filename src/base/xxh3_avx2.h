// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#include <stddef.h>

// XXH3 with 128 bits, in the canonical order of bytes, for processors with AVX2: twice as fast as the
// library, which distributions build for all. C, so that no inline function of C++ is compiled for these
// processors alone.
void e2qcow_xxh3_avx2(const void* bytes, size_t length, unsigned char digest[16]);

#ifdef __cplusplus
}
#endif
