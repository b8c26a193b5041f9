// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/codec/zlib_codec.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/support/bytes.h"
#include "tests/support/random.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::size_t kZlibCluster = 65536;

Bytes random_bytes(std::size_t count) {
  Random random;
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
  return bytes;
}

// The size it was compressed to, or 0, once zlib with a window of 4 KiB has read the cluster from it again.
std::size_t encoded_size(const Bytes& cluster) {
  Bytes out(cluster.size() - 1);
  const std::size_t size = make_zlib_encoder(0)->encode(cluster, out);
  if (size == 0) return 0;
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, -12), Z_OK);
  Bytes read(cluster.size());
  stream.next_in = reinterpret_cast<Bytef*>(out.data());
  stream.avail_in = static_cast<uInt>(size);
  stream.next_out = reinterpret_cast<Bytef*>(read.data());
  stream.avail_out = static_cast<uInt>(read.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  ::inflateEnd(&stream);
  EXPECT_EQ(read, cluster);
  return size;
}

TEST(ZlibEncoder, MakesTextSmaller) {
  Bytes text;
  for (int i = 0; text.size() < kZlibCluster; ++i) {
    const Bytes line = text_bytes("line " + std::to_string(i) + " of many that are alike\n");
    text.insert(text.end(), line.begin(), line.end());
  }
  text.resize(kZlibCluster);
  EXPECT_GT(encoded_size(text), 0);
  EXPECT_LT(encoded_size(text), kZlibCluster / 3);
}

TEST(ZlibEncoder, GivesUpOnRandomBytes) {
  for (const std::size_t size : {512, 4096, 65536, 2 << 20})
    EXPECT_EQ(encoded_size(random_bytes(size)), 0) << size;
}

// Each value is as frequent as in random bytes.
TEST(ZlibEncoder, FindsRepeatsIfAllBytesAreEquallyFrequent) {
  Bytes bytes = random_bytes(1024);
  while (bytes.size() < kZlibCluster) bytes.insert(bytes.end(), bytes.begin(), bytes.begin() + 1024);
  EXPECT_GT(encoded_size(bytes), 0);
  EXPECT_LT(encoded_size(bytes), kZlibCluster / 8);
}

TEST(ZlibEncoder, FindsThatFewValuesNeedFewBits) {
  Bytes bytes = random_bytes(kZlibCluster);
  for (std::byte& byte : bytes) byte &= std::byte{0x0f};
  EXPECT_GT(encoded_size(bytes), 0);
  EXPECT_LT(encoded_size(bytes), kZlibCluster * 6 / 10);
}

}  // namespace
}  // namespace e2qcow::qcow2
