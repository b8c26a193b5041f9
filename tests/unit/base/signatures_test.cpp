// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/signatures.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/without_descriptor.h"

namespace e2qcow {
namespace {

class RecognisedAreas : public testing::Test {
 protected:
  static constexpr std::uint64_t kArea = 65536;
  std::vector<Extent> areas_of(std::uint64_t size,
                               std::initializer_list<std::pair<std::uint64_t, Bytes>> parts,
                               Extent part = {0, ~0ULL}) const {
    const std::string path = directory_.file("disk.img");
    write_text(path, "");
    std::filesystem::resize_file(path, size);
    std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
    for (const auto& [offset, bytes] : parts) {
      stream.seekp(static_cast<std::streamoff>(offset));
      stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    stream.close();
    part.length = std::min(part.length, size - part.offset);
    const auto disk = open_for_reading(path);
    auto areas = recognised_areas(*disk, part);
    EXPECT_EQ(recognised_areas(WithoutDescriptor(*disk), part), areas);
    return areas;
  }

  TempDir directory_;
};

TEST_F(RecognisedAreas, AreTheBeginningAndTheEndOfAnUnknownDisk) {
  EXPECT_EQ(areas_of(8 << 20, {}), (std::vector<Extent>{{0, kArea}, {(8 << 20) - kArea, kArea}}));
}

// A backup of a GPT has 33 sectors at the very end, wherever that is.
TEST_F(RecognisedAreas, EndWithAllOf64KiB) {
  const std::uint64_t size = (8 << 20) + 512;
  const auto areas = areas_of(size, {});
  ASSERT_EQ(areas.size(), 2);
  EXPECT_LE(areas[1].offset, size - kArea);
  EXPECT_EQ(areas[1].end(), size);
}

TEST_F(RecognisedAreas, AreAllOfASmallDisk) {
  EXPECT_EQ(areas_of(100'000, {}), (std::vector<Extent>{{0, 100'000}}));
  EXPECT_EQ(areas_of(512, {}), (std::vector<Extent>{{0, 512}}));
  EXPECT_EQ(areas_of(0, {}), std::vector<Extent>{});
}

// btrfs has its magic at 64 KiB + 64 bytes.
TEST_F(RecognisedAreas, AreAroundWhatLibblkidKnows) {
  Bytes superblock(4096);
  std::ranges::copy(text_bytes("_BHRfS_M"), superblock.begin() + 64);
  const auto areas = areas_of(16 << 20, {{kArea, superblock}});
  ASSERT_EQ(areas.size(), 2);
  EXPECT_EQ(areas[0], (Extent{0, 2 * kArea}));
}

TEST_F(RecognisedAreas, AreThoseOfThePart) {
  Bytes superblock(4096);
  std::ranges::copy(text_bytes("_BHRfS_M"), superblock.begin() + 64);
  const auto areas = areas_of(16 << 20, {{(1 << 20) + kArea, superblock}}, {1 << 20, 10 << 20});
  ASSERT_EQ(areas.size(), 2);
  EXPECT_EQ(areas[0], (Extent{0, 2 * kArea}));
  EXPECT_EQ(areas[1].end(), 10 << 20);
}

// Each with the program that helps, if there is one.
TEST(DescribeContents, NamesWhatIsNoRawDisk) {
  const std::pair<Bytes, const char*> kKinds[] = {
      {bytes_of({0x1f, 0x8b, 8, 0}), "gzip -dc"},
      {bytes_of({0xfd, '7', 'z', 'X', 'Z', 0}), "xz -dc"},
      {bytes_of({0x28, 0xb5, 0x2f, 0xfd}), "zstd -dc"},
      {bytes_of({'B', 'Z', 'h', '9'}), "bzip2 -dc"},
      {bytes_of({4, 0x22, 0x4d, 0x18}), "lz4 -dc"},
      {bytes_of({0x3a, 0xff, 0x26, 0xed}), "simg2img"},
      {bytes_of({'Q', 'F', 'I', 0xfb, 0, 0, 0, 3}), "qcow2 image"},
      {bytes_of({'Q', 'F', 'I', 0xfb, 0, 0, 0, 1}), "qcow image of version 1"},
      {text_bytes("KDMV"), "VMDK"},
      {text_bytes("vhdxfile"), "VHDX"},
      {text_bytes("conectix"), "VHD "},
      {text_bytes("WithouFreSpacExt"), "Parallels"},
      {text_bytes("E2UNDO02"), "e2undo"},
      {bytes_of({'L', 'U', 'K', 'S', 0xba, 0xbe}), "cryptsetup open"},
      {{}, "it is empty"}};
  for (const auto& [front, text] : kKinds) {
    const MemoryFile file(front);
    EXPECT_NE(describe_contents(file).find(text), std::string::npos)
        << text << ": " << describe_contents(file);
  }
}

TEST(DescribeContents, SaysNothingOfWhatItDoesNotKnow) {
  EXPECT_EQ(describe_contents(MemoryFile(filled(4096, 0))), "");
  EXPECT_EQ(describe_contents(MemoryFile(filled(4096, 0xff))), "");
  EXPECT_EQ(describe_contents(MemoryFile(text_bytes("QF"))), "");
}

}  // namespace
}  // namespace e2qcow
