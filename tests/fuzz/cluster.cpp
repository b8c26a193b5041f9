// SPDX-License-Identifier: GPL-2.0-or-later
// Compressed clusters.
#include <system_error>

#include "qcow2/codec/codec.h"

using namespace e2qcow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    std::vector<std::byte> cluster(65536);
    for (const auto type : {qcow2::CompressionType::zlib, qcow2::CompressionType::zstd}) {
      static const auto zlib = qcow2::make_decoder(qcow2::CompressionType::zlib);
      static const auto zstd = qcow2::make_decoder(qcow2::CompressionType::zstd);
      (type == qcow2::CompressionType::zlib ? *zlib : *zstd).decode(bytes, cluster);
    }
  } catch (const std::system_error&) {  // refused, with a reason
  }
  return 0;
}
