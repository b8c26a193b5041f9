// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gtest/gtest.h>

#include "qcow2/format/record_extension.h"
#include "qcow2/read/reader.h"
#include "qcow2/write/writer.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"

namespace e2qcow::qcow2 {

inline constexpr Compression kZstd{CompressionType::zstd};
// Its last cluster is not in the disk as a whole.
inline constexpr std::uint64_t kDiskBytes = 200 * 1024 + 512;

// An image with digests of a random disk.
class DigestedImage {
 public:
  explicit DigestedImage(std::optional<Compression> compression = {}, DigestKind kind = DigestKind::xxh3,
                         std::uint32_t bits = 12, unsigned threads = 1)
      : source_(disk()) {
    const Geometry geometry{bits};
    const Layout layout = plan_layout(geometry, source_.size(), count_clusters(source_.extents(), geometry));
    Writer writer(file, layout, {.compression = compression, .digest = kind, .extensions = [] {
                                   return std::vector{encode_record(DumpRecord())};
                                 }});
    transfer(source_, writer, {.threads = threads});
    EXPECT_EQ(file.size(), writer.image_size());
  }
  const MemorySource& source() const { return source_; }
  // Of the plain cluster that has the guest offset.
  std::uint64_t host_offset(std::uint64_t guest_offset) const {
    return *Reader(file).map(guest_offset).host_offset;
  }
  void flip(std::uint64_t host_offset) { file.data()[host_offset] ^= std::byte{0x10}; }

  MemoryFile file;

 private:
  static MemorySource disk() {
    Random random(1);
    Bytes bytes(kDiskBytes);
    std::vector<Extent> extents{{4096, 3 * 4096}, {100 << 10, 30 << 10}, {kDiskBytes - 700, 700}};
    for (const Extent& extent : extents) {
      const Bytes data = random.bytes(extent.length / 2);  // half of it, repeated: compressible
      for (std::uint64_t i = 0; i < extent.length; ++i) bytes[extent.offset + i] = data[i / 2];
    }
    return {std::move(bytes), std::move(extents)};
  }
  MemorySource source_;
};

}  // namespace e2qcow::qcow2
