// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/packed_file.h"

#include <gtest/gtest.h>

#include "base/extents.h"
#include "base/file/forwarding_file.h"
#include "base/file/temporary_file.h"
#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kPackedSize = 5 << 20;

Bytes numbered_bytes() {
  Bytes bytes(kPackedSize);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

Bytes read_from(const ReadableFile& file, Extent range) {
  Bytes bytes(range.length, std::byte{0xee});
  file.read(range.offset, bytes);
  return bytes;
}

class PackedFileTest : public testing::Test {
 protected:
  PackedFile packed_{open_temporary_file(), "device", kPackedSize};
  MemoryFile device_{numbered_bytes()};
};

TEST_F(PackedFileTest, HasWhatWasCopiedAndZerosElsewhere) {
  const std::vector<Extent> extents{{1000, 3 << 20}, {4 << 20, 512}};
  packed_.copy(device_, extents, 2);
  Bytes expected(kPackedSize);
  for (const Extent& extent : extents)
    std::ranges::copy(std::span(device_.data()).subspan(extent.offset, extent.length),
                      expected.begin() + static_cast<std::ptrdiff_t>(extent.offset));
  EXPECT_TRUE(read_from(packed_, {0, kPackedSize}) == expected);
  for (const Extent& range :
       {Extent{999, 2}, {0, 1}, {1 << 20, 4096}, {(4 << 20) - 1, 1024}, {kPackedSize, 0}})
    EXPECT_EQ(read_from(packed_, range), Bytes(expected.begin() + static_cast<std::ptrdiff_t>(range.offset),
                                               expected.begin() + static_cast<std::ptrdiff_t>(range.end())));
  EXPECT_EQ(packed_.size(), kPackedSize);
  EXPECT_EQ(packed_.name(), "device");
}

TEST_F(PackedFileTest, TakesMoreLater) {
  packed_.copy(device_, std::vector<Extent>{{0, 4096}, {8192, 4096}}, 1);
  packed_.copy(device_, std::vector<Extent>{{4096, 4096}}, 1);
  EXPECT_EQ(read_from(packed_, {0, 12288}), read_from(device_, {0, 12288}));
  EXPECT_TRUE(packed_.has({0, 12288}));
  EXPECT_TRUE(packed_.has({4095, 2}));
  EXPECT_FALSE(packed_.has({0, 12289}));
  EXPECT_FALSE(packed_.has({20000, 1}));
}

TEST_F(PackedFileTest, FindsData) {
  packed_.copy(device_, std::vector<Extent>{{4096, 4096}}, 1);
  EXPECT_EQ(packed_.next_data(0), (Extent{4096, 4096}));
  EXPECT_EQ(packed_.next_data(5000), (Extent{5000, 3192}));
  EXPECT_FALSE(packed_.next_data(8192));
}

TEST_F(PackedFileTest, EndsWhereTheDeviceEnds) {
  Bytes bytes(2);
  EXPECT_EQ(code_of([&] { packed_.read(kPackedSize - 1, bytes); }), Errc::truncated);
}

// A device with a place that was read as zeros, because it cannot be read.
class LossyFile : public ForwardingFile {
 public:
  using ForwardingFile::ForwardingFile;
  explicit LossyFile(const ReadableFile& file) : ForwardingFile(file) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const override { below().read(offset, out); }
  bool is_lost(Extent range) const override { return overlaps(range, {8192, 1024}); }
};

TEST_F(PackedFileTest, CannotReadWhatTheDeviceCouldNot) {
  packed_.copy(LossyFile(device_), std::vector<Extent>{{0, 1 << 20}}, 1);
  Bytes bytes(512);
  for (const std::uint64_t offset : {8192, 8704, 9215 - 511})
    EXPECT_EQ(code_of([&] { packed_.read(offset, bytes); }), std::errc::io_error) << offset;
  for (const std::uint64_t offset : {8192 - 512, 9216})
    EXPECT_EQ(read_from(packed_, {offset, 512}), read_from(device_, {offset, 512}));
}

}  // namespace
}  // namespace e2qcow
