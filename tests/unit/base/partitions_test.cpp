// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/device.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kSector = 512;

class DeviceTest : public testing::Test {
 protected:
  std::unique_ptr<PosixFile> disk_with(const Bytes& front) const {
    const std::string path = directory_.file("disk.img");
    write_text(path, {reinterpret_cast<const char*>(front.data()), front.size()});
    std::filesystem::resize_file(path, 8 << 20);
    return open_for_reading(path);
  }

  TempDir directory_;
};

// Entry `number`, from 1, of a master boot record. Its fields: 0 status, 4 type, 8 first sector, 12 sectors.
void put_mbr_entry(Bytes& sector, int number, std::uint64_t first, std::uint64_t sectors) {
  const auto entry = static_cast<std::uint64_t>(446 + 16 * (number - 1));
  set_le(sector, entry + 4, 0x83, 1);
  set_le(sector, entry + 8, first, 4);
  set_le(sector, entry + 12, sectors, 4);
  set_le(sector, 510, 0xaa55, 2);
}

TEST_F(DeviceTest, FindsPartitionsOfAMasterBootRecord) {
  Bytes sector(kSector);
  put_mbr_entry(sector, 1, 2048, 100);
  put_mbr_entry(sector, 3, 4096, 2000);
  const auto disk = disk_with(sector);
  EXPECT_EQ(find_partition(*disk, 1), (Extent{1048576, 51200}));
  EXPECT_EQ(find_partition(*disk, 3), (Extent{2097152, 1024000}));
}

TEST_F(DeviceTest, ReportsThatThereIsNoSuchPartition) {
  Bytes sector(kSector);
  put_mbr_entry(sector, 1, 2048, 100);
  const auto disk = disk_with(sector);
  const Ending ending = ending_of([&] { find_partition(*disk, 2); });
  EXPECT_EQ(ending.code, Errc::refused);
  EXPECT_NE(ending.text.find("disk.img: there is no partition 2"), std::string::npos) << ending.text;
}

TEST_F(DeviceTest, ReportsThatThereIsNoPartitionTable) {
  const auto disk = disk_with({});
  const Ending ending = ending_of([&] { find_partition(*disk, 1); });
  EXPECT_EQ(ending.code, Errc::refused);
  EXPECT_NE(ending.text.find("disk.img: no partition table found"), std::string::npos) << ending.text;
}

class RecognisedAreas : public DeviceTest {
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
    return recognised_areas(*open_for_reading(path), part);
  }
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

}  // namespace
}  // namespace e2qcow
