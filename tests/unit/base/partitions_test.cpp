// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/partitions.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"
#include "tests/support/without_descriptor.h"

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
void put_mbr_entry(Bytes& sector, int number, std::uint64_t first, std::uint64_t sectors,
                   std::uint64_t type = 0x83) {
  const auto entry = static_cast<std::uint64_t>(446 + 16 * (number - 1));
  set_le(sector, entry + 4, type, 1);
  set_le(sector, entry + 8, first, 4);
  set_le(sector, entry + 12, sectors, 4);
  set_le(sector, 510, 0xaa55, 2);
}

// Logical partitions: 5 at sector 110, and 6 at `second` + 10 by a sector that is not made yet.
Bytes extended_disk(std::uint64_t second, std::uint64_t sectors = 4096) {
  constexpr std::uint64_t kFirst = 100;
  Bytes front(128 * kSector);
  put_mbr_entry(front, 1, kFirst, sectors, 0x05);
  Bytes link(kSector);
  put_mbr_entry(link, 1, 10, 20);
  put_mbr_entry(link, 2, second - kFirst, 100, 0x05);
  std::ranges::copy(link, front.begin() + kFirst * kSector);
  return front;
}

// The sector in front of the last logical partition.
Bytes last_link() {
  Bytes link(kSector);
  put_mbr_entry(link, 1, 10, 20);
  return link;
}

Extent partition(const PosixFile& disk, int number) {
  const auto any = [](Extent) { return true; };
  const Extent found = find_partition(disk, number, std::nullopt, any);
  EXPECT_EQ(find_partition(WithoutDescriptor(disk), number, std::nullopt, any), found);
  return found;
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

TEST_F(PartitionsTest, ReportsAChainOfLogicalPartitionsThatIsCut) {
  const auto disk = disk_with(extended_disk(1000));
  EXPECT_EQ(partition(*disk, 5), (Extent{110 * kSector, 20 * kSector}));
  EXPECT_EQ(
      ending_of([&] { partition(*disk, 6); }).text,
      directory_.file("disk.img") +
          ": partition 6 was not found: the chain of logical partitions ends early, because the sector at "
          "512000 is unreadable or invalid");
  EXPECT_NE(ending_of([&] { partition(*disk, 3); }).text.find("there is no partition 3"), std::string::npos);
}

TEST_F(PartitionsTest, ReportsAChainOfLogicalPartitionsThatLeavesTheDisk) {
  const auto disk = disk_with(extended_disk(1 << 20));
  const Ending ending = ending_of([&] { partition(*disk, 6); });
  EXPECT_EQ(ending.code, Errc::refused);
  EXPECT_NE(ending.text.find("because the sector at 536870912 is past the end of the disk"),
            std::string::npos)
      << ending.text;
}

TEST_F(PartitionsTest, DoesNotBlameAChainThatIsWhole) {
  Bytes front = extended_disk(120);
  std::ranges::copy(last_link(), front.begin() + 120 * kSector);
  const auto disk = disk_with(front);
  EXPECT_EQ(partition(*disk, 6), (Extent{130 * kSector, 20 * kSector}));
  EXPECT_NE(ending_of([&] { partition(*disk, 7); }).text.find("there is no partition 7"), std::string::npos);
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

TEST_F(PartitionsTest, AreFoundInTheChainOfADiskThatWasCutShort) {
  Bytes front = extended_disk(1000, 1 << 20);
  front.resize(1001 * kSector);
  std::ranges::copy(last_link(), front.begin() + 1000 * kSector);
  EXPECT_EQ(partition(*disk_with(front), 6), (Extent{1010 * kSector, 20 * kSector}));
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
