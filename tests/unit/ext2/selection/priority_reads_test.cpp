// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/priority_reads.h"

#include <gtest/gtest.h>

#include "tests/support/sparse_file.h"

namespace e2qcow::ext2 {
namespace {

using ClassRun = Selection::ClassRun;

TEST(ReadMetadataFirst, GoesByClassAndLeavesOutContents) {
  SparseFile disk(4096);
  read_metadata_first(
      disk,
      std::vector<ClassRun>{
          {{0, 1}, BlockClass::directories}, {{1, 1}, BlockClass::data}, {{2, 2}, BlockClass::inode_tables}},
      1024);
  EXPECT_EQ(disk.reads(), (std::vector<Extent>{{2048, 2048}, {0, 1024}}));
}

// A copy of the superblock may speak of smaller blocks, of which one more fits onto the device.
TEST(ReadMetadataFirst, EndsWithADeviceThatEndsInsideABlock) {
  SparseFile disk(2560);
  read_metadata_first(disk, std::vector<ClassRun>{{{1, 2}, BlockClass::directories}}, 1024);
  EXPECT_EQ(disk.reads(), (std::vector<Extent>{{1024, 1536}}));
}

}  // namespace
}  // namespace e2qcow::ext2
