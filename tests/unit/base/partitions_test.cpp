// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/partitions.h"

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

class PartitionsTest : public testing::Test {
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

Extent partition(const PosixFile& disk, int number) {
  return find_partition(disk, number, std::nullopt, [](Extent) { return true; });
}

TEST_F(PartitionsTest, FindsPartitionsOfAMasterBootRecord) {
  Bytes sector(kSector);
  put_mbr_entry(sector, 1, 2048, 100);
  put_mbr_entry(sector, 3, 4096, 2000);
  const auto disk = disk_with(sector);
  EXPECT_EQ(partition(*disk, 1), (Extent{1048576, 51200}));
  EXPECT_EQ(partition(*disk, 3), (Extent{2097152, 1024000}));
}

TEST_F(PartitionsTest, ReportsThatThereIsNoSuchPartition) {
  Bytes sector(kSector);
  put_mbr_entry(sector, 1, 2048, 100);
  const auto disk = disk_with(sector);
  const Ending ending = ending_of([&] { partition(*disk, 2); });
  EXPECT_EQ(ending.code, Errc::refused);
  EXPECT_NE(ending.text.find("disk.img: there is no partition 2"), std::string::npos) << ending.text;
}

TEST_F(PartitionsTest, ReportsThatThereIsNoPartitionTable) {
  const auto disk = disk_with({});
  const Ending ending = ending_of([&] { partition(*disk, 1); });
  EXPECT_EQ(ending.code, Errc::refused);
  EXPECT_NE(ending.text.find("disk.img: no partition table found"), std::string::npos) << ending.text;
}

TEST_F(PartitionsTest, AreFoundOnADiskThatWasCutShort) {
  Bytes sector(kSector);
  put_mbr_entry(sector, 1, 2048, 1 << 20);
  put_mbr_entry(sector, 2, 1 << 21, 2048);
  const auto disk = disk_with(sector);
  EXPECT_EQ(partition(*disk, 1), (Extent{1 << 20, 512ULL << 20}));
  EXPECT_EQ(partition(*disk, 2), (Extent{1ULL << 30, 1 << 20}));
}

// The table does not say how large sectors are.
TEST_F(PartitionsTest, AreCountedInTheSectorsThatMakeSense) {
  Bytes sector(kSector);
  put_mbr_entry(sector, 1, 256, 100);
  const auto disk = disk_with(sector);
  const auto begins_at = [](std::uint64_t right) {
    return [=](Extent range) { return range.offset == right; };
  };
  EXPECT_EQ(find_partition(*disk, 1, std::nullopt, begins_at(256 * 512)).offset, 256 * 512);
  EXPECT_EQ(find_partition(*disk, 1, std::nullopt, begins_at(256 * 4096)).offset, 256 * 4096);
  EXPECT_EQ(find_partition(*disk, 1, std::nullopt, begins_at(1)).offset, 256 * 512);
  EXPECT_EQ(find_partition(*disk, 1, 4096, begins_at(1)), (Extent{256 * 4096, 100 * 4096}));
}

}  // namespace
}  // namespace e2qcow
