// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "qcow2/read/cached_disk.h"

#include <gtest/gtest.h>

#include <array>

#include "qcow2/codec/codec.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"
#include "tests/support/random.h"

namespace e2qcow::qcow2 {
namespace {

// Stores a cluster compressed with zlib. The sector it takes is its own.
void add_compressed(HandMadeImage& image, std::uint64_t guest_cluster, int value) {
  Bytes stored(kCluster);
  make_encoder({CompressionType::zlib, 0})->encode(filled(kCluster, value), stored);
  const std::uint64_t host_offset = image.bytes.size();
  image.bytes.insert(image.bytes.end(), stored.begin(), stored.end());
  image.set_l2_entry(guest_cluster, HandMadeImage::kCompressed | host_offset);
  image.set_refcount(host_offset / kCluster, 1);
}

// A file that counts how often it is read.
class CountingFile : public MemoryFile {
 public:
  using MemoryFile::MemoryFile;
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    ++reads;
    MemoryFile::read(offset, out);
  }
  mutable std::atomic<int> reads{0};
};

struct Opened {
  explicit Opened(const HandMadeImage& image, std::uint64_t cache_bytes = 1 << 20)
      : file(image.bytes), reader(file), chain({&reader}, nullptr), disk(chain, cache_bytes) {}
  CountingFile file;
  Reader reader;
  Chain chain;
  CachedDisk disk;
};

HandMadeImage mixed_image() {
  HandMadeImage image;
  for (int cluster = 0; cluster < 60; ++cluster) {
    if (cluster % 4 == 0) add_compressed(image, cluster, cluster + 1);
    if (cluster % 4 == 1) image.add_data(cluster, cluster + 1);
    if (cluster % 4 == 2) image.set_l2_entry(cluster, 1);
  }
  return image;
}

TEST(CachedDisk, ReadsWhatTheChainReads) {
  Opened image(mixed_image(), 2 * kCluster);
  Bytes expected(HandMadeImage::kDiskSize);
  image.chain.read(0, expected);
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t offset = random.below(HandMadeImage::kDiskSize);
    Bytes out = filled(
        random.below(std::min<std::uint64_t>(HandMadeImage::kDiskSize - offset, 5 * kCluster)) + 1, 0xee);
    image.disk.read(offset, out);
    ASSERT_EQ(out, part_of(expected, offset, out.size())) << "offset " << offset;
  }
}

TEST(CachedDisk, DecompressesAClusterOnce) {
  HandMadeImage small;
  add_compressed(small, 5, 9);
  Opened image(small);
  Bytes byte(1);
  image.disk.read(5 * kCluster, byte);
  const int reads = image.file.reads;
  for (std::uint64_t i = 0; i < kCluster; ++i) image.disk.read(5 * kCluster + i, byte);
  EXPECT_EQ(byte, filled(1, 9));
  EXPECT_EQ(image.file.reads, reads);
}

TEST(CachedDisk, DecompressesAheadWhatIsAnnounced) {
  HandMadeImage small;
  for (int cluster = 0; cluster < 8; ++cluster) add_compressed(small, cluster, cluster + 1);
  Opened image(small);
  image.disk.prefetch({0, 8 * kCluster});
  Bytes out(8 * kCluster);
  image.disk.read(0, out);  // waits for what the thread is at
  EXPECT_EQ(out[7 * kCluster], std::byte{8});
  image.disk.stop_thread();
  image.disk.prefetch({0, HandMadeImage::kDiskSize * 2});  // and can be started again
  image.disk.read(0, out);
  EXPECT_EQ(out[0], std::byte{1});
}

TEST(CachedDisk, ReportsDamageAndReadsTheRest) {
  HandMadeImage small;
  add_compressed(small, 0, 1);
  add_compressed(small, 1, 2);
  std::fill_n(small.bytes.begin() + HandMadeImage::kData, 64, std::byte{0xff});
  Opened image(small);
  Bytes out(kCluster);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(code_of([&] { image.disk.read(0, out); }), Errc::corrupt);
  image.disk.read(kCluster, out);
  EXPECT_EQ(out, filled(kCluster, 2));
}

}  // namespace
}  // namespace e2qcow::qcow2
