// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/live/snapshot.h"

#include <gtest/gtest.h>

namespace e2qcow::work {
namespace {

// Names as the device mapper makes them. Source: lvm(8), "VALID NAMES", and dm's hyphen mangling
TEST(BesideVolume, IsInTheSameGroup) {
  EXPECT_EQ(beside_volume("/dev/group/volume", "e2qcow_1"), "/dev/group/e2qcow_1");
  EXPECT_EQ(beside_volume("/dev/mapper/group-volume", "e2qcow_1"), "/dev/mapper/group-e2qcow_1");
  EXPECT_EQ(beside_volume("/dev/mapper/a--b-c--d", "e2qcow_1"), "/dev/mapper/a--b-e2qcow_1");
  EXPECT_EQ(beside_volume("/dev/mapper/a----b-c", "e2qcow_1"), "/dev/mapper/a----b-e2qcow_1");
}

}  // namespace
}  // namespace e2qcow::work
