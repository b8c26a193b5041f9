// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/storage.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/bytes.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

class StorageTest : public testing::Test {
 protected:
  std::string file(const std::string& name) const {
    write_text(directory_.file(name), "");
    return directory_.file(name);
  }
  static bool overlap_of(const std::string& a, const std::string& b, Extent part_a = kWhole,
                         Extent part_b = kWhole) {
    return overlap(stored_ranges(a, part_a), stored_ranges(b, part_b));
  }

  TempDir directory_;
};

TEST_F(StorageTest, KnowsTwoNamesOfOneFile) {
  const std::string a = file("a");
  std::filesystem::create_symlink(a, directory_.file("link"));
  std::filesystem::create_hard_link(a, directory_.file("other-name"));
  EXPECT_TRUE(overlap_of(a, a));
  EXPECT_TRUE(overlap_of(a, directory_.file("link")));
  EXPECT_TRUE(overlap_of(a, directory_.file("other-name")));
  EXPECT_FALSE(overlap_of(a, file("b")));
  EXPECT_FALSE(overlap_of(a, directory_.file("missing")));
}

TEST_F(StorageTest, KnowsPartsOfAFileApart) {
  const std::string a = file("a");
  EXPECT_TRUE(overlap_of(a, a, {0, 100}, {99, 1}));
  EXPECT_FALSE(overlap_of(a, a, {0, 100}, {100, 50}));
  EXPECT_TRUE(overlap_of(a, a, {100, ~0ULL - 100}, {1ULL << 62, 1}));
}

// Logical volumes 11 and 12 on disk 1, and 13, which is encrypted and made of 11.
TEST_F(StorageTest, KnowsMappedDevicesOfOneDiskApart) {
  const auto on_disk_1 = [](std::vector<dev_t> mapped_by) {
    return std::vector<StoredRange>{{false, 1, 0, kWhole, "", std::move(mapped_by)}};
  };
  EXPECT_FALSE(overlap(on_disk_1({11}), on_disk_1({12})));
  EXPECT_FALSE(overlap(on_disk_1({13, 11}), on_disk_1({12})));
  EXPECT_TRUE(overlap(on_disk_1({11}), on_disk_1({11})));
  EXPECT_TRUE(overlap(on_disk_1({13, 11}), on_disk_1({11})));
  EXPECT_TRUE(overlap(on_disk_1({11}), on_disk_1({13, 11})));
  EXPECT_TRUE(overlap(on_disk_1({}), on_disk_1({12})));
}

TEST_F(StorageTest, StoresNothingOnAFileThatIsNotMounted) {
  const std::string a = file("a");
  EXPECT_FALSE(overlap(stored_ranges(a), ranges_under(directory_.file("fs.qcow2"))));
  EXPECT_FALSE(overlap(stored_ranges(a), ranges_under("fs.qcow2")));
}

TEST_F(StorageTest, FollowsLinksToWhatNeedNotExist) {
  std::filesystem::create_symlink("second", directory_.file("first"));
  std::filesystem::create_symlink(directory_.file("missing"), directory_.file("second"));
  EXPECT_EQ(without_links(directory_.file("first")), directory_.file("missing"));
  std::filesystem::create_symlink("loop", directory_.file("loop"));
  EXPECT_THROW(without_links(directory_.file("loop")), std::system_error);
}

}  // namespace
}  // namespace e2qcow
