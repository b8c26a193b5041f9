// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/block_class.h"

#include <gtest/gtest.h>

#include <set>

namespace e2qcow {
namespace {

TEST(BlockClass, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kBlockClasses; ++i)
    EXPECT_TRUE(names.insert(class_name(static_cast<BlockClass>(i))).second) << i;
  EXPECT_EQ(kBlockClasses, static_cast<std::size_t>(BlockClass::signatures) + 1);
}

TEST(BlockClass, OfALaterVersionHasNoName) {
  EXPECT_EQ(class_name(static_cast<BlockClass>(kBlockClasses)), "");
  EXPECT_EQ(class_name(static_cast<BlockClass>(255)), "");
}

}  // namespace
}  // namespace e2qcow
