// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/codec/codec.h"

#include "qcow2/codec/zlib_codec.h"
#include "qcow2/codec/zstd_codec.h"

namespace e2qcow::qcow2 {

std::unique_ptr<Encoder> make_encoder(Compression compression) {
  return compression.type == CompressionType::zstd ? make_zstd_encoder(compression.level)
                                                   : make_zlib_encoder(compression.level);
}

std::unique_ptr<Decoder> make_decoder(CompressionType type) {
  return type == CompressionType::zstd ? make_zstd_decoder() : make_zlib_decoder();
}

}  // namespace e2qcow::qcow2
