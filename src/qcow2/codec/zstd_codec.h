// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "qcow2/codec/codec.h"

namespace e2qcow::qcow2 {

std::unique_ptr<Encoder> make_zstd_encoder(int level);
std::unique_ptr<Decoder> make_zstd_decoder();

}  // namespace e2qcow::qcow2
