// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "qcow2/codec/codec.h"

namespace e2qcow::qcow2 {

// Raw deflate. Written with a window of 4 KiB, as the format demands; read with up to 32 KiB.
std::unique_ptr<Encoder> make_zlib_encoder(int level);
std::unique_ptr<Decoder> make_zlib_decoder();

}  // namespace e2qcow::qcow2
