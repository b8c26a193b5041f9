// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/log_tail.h"

#include <gtest/gtest.h>

namespace e2qcow::ext2 {
namespace {

TEST(LogTail, ThatHasNotMovedHasKeptEverything) {
  EXPECT_TRUE(has_kept_everything(LogTail{7, 100}, LogTail{7, 100}));
  EXPECT_TRUE(has_kept_everything(LogTail{7, 0}, LogTail{7, 0}));
  EXPECT_TRUE(has_kept_everything(LogTail{7, 0}, LogTail{7, 1}));  // there was nothing to replay
}

TEST(LogTail, ThatHasMovedHasNot) {
  EXPECT_FALSE(has_kept_everything(LogTail{7, 100}, LogTail{8, 120}));
  EXPECT_FALSE(has_kept_everything(LogTail{7, 100}, LogTail{7, 120}));
  EXPECT_FALSE(has_kept_everything(LogTail{7, 100}, LogTail{9, 0}));
}

TEST(LogTail, ThatIsNotKnownHasNot) {
  EXPECT_FALSE(has_kept_everything(std::nullopt, LogTail{7, 100}));
  EXPECT_FALSE(has_kept_everything(LogTail{7, 100}, std::nullopt));
  EXPECT_FALSE(has_kept_everything(std::nullopt, std::nullopt));
}

}  // namespace
}  // namespace e2qcow::ext2
