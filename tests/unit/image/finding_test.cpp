// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/finding.h"

#include <gtest/gtest.h>

#include <set>

namespace e2qcow {
namespace {

TEST(FindingText, HasANameOfItsOwnForEachFinding) {
  std::set<std::string_view> names;
  const auto last = static_cast<int>(Finding::missing_journal);
  for (int number = 0; number <= last; ++number)
    EXPECT_TRUE(names.insert(finding_text(static_cast<Finding>(number)).name).second) << number;
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(finding_text(static_cast<Finding>(last + 1)).name, "unknown");
}

}  // namespace
}  // namespace e2qcow
