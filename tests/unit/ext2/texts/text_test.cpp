// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/text.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/bytes.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

TEST(TextOfExt2, EachKindHasItsName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kTextKinds; ++i) names.insert(kind_name(static_cast<TextKind>(i)));
  EXPECT_EQ(names.size(), kTextKinds);
  EXPECT_FALSE(names.contains(""));
}

TEST(TextOfExt2, UnusedBytesAreThoseFromTheFirstToTheLastThatIsNotZero) {
  const Bytes bytes = text_bytes(std::string("\0\0a\0b\0", 6));
  EXPECT_EQ(collected([&](const TextVisitor& visit) {
              visit_unused({bytes, 100, 0}, TextKind::slack, visit);
            }),
            (Collected{{TextKind::slack, std::string("a\0b", 3), 0, 0, 102}}));
  const Bytes zeros(8);
  EXPECT_EQ(collected([&](const TextVisitor& visit) {
              visit_unused({zeros, 0, 0}, TextKind::slack, visit);
            }),
            Collected());
}

TEST(TextOfExt2, AFieldEndsWithAZeroAndTheRestIsUnused) {
  const Bytes bytes = text_bytes(std::string("data\0\0old", 9));
  EXPECT_EQ(collected([&](const TextVisitor& visit) {
              visit_field({bytes, 10, 7}, TextKind::label, visit);
            }),
            (Collected{{TextKind::label, "data", 7, 0, 10}, {TextKind::slack, "old", 7, 0, 16}}));
}

}  // namespace
}  // namespace e2qcow::ext2
