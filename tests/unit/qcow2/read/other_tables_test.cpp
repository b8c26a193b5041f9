// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/other_tables.h"

#include <gtest/gtest.h>

#include "qcow2/format/read_header.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"

namespace e2qcow::qcow2 {
namespace {

std::string fault_of(const HandMadeImage& image) {
  const MemoryFile file(image.bytes);
  const Header header = read_header(file);
  return fault_of_other_tables(file, header, read_extensions(file, header).extensions);
}

TEST(OtherTables, HaveNoFaultInAValidImage) {
  EXPECT_EQ(fault_of(HandMadeImage()), "");
}

TEST(OtherTables, AreJudgedWithoutStoppingAtAFault) {
  HandMadeImage image;
  set_be(image.bytes, HandMadeImage::kRefcountTable, HandMadeImage::kRefcountBlock | 1, 8);
  EXPECT_NE(fault_of(image).find("refcount table entry 0"), std::string::npos) << fault_of(image);
  set_be(image.bytes, HandMadeImage::kRefcountTable, 100 * kCluster, 8);
  EXPECT_NE(fault_of(image).find("runs past the end of the file"), std::string::npos) << fault_of(image);
}

// The number of snapshots is at byte 60 of the header, and the offset of their table at byte 64.
TEST(OtherTables, MayBeImpossibleInTheHeader) {
  HandMadeImage image;
  set_be(image.bytes, 60, 65537, 4);
  EXPECT_NE(fault_of(image).find("a snapshot table of 65537 entries"), std::string::npos) << fault_of(image);
  set_be(image.bytes, 60, 1, 4);
  set_be(image.bytes, 64, 1ULL << 60, 8);
  EXPECT_NE(fault_of(image).find("snapshot table"), std::string::npos) << fault_of(image);
}

}  // namespace
}  // namespace e2qcow::qcow2
