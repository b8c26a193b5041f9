// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/ordered_file.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kBegin = 100;
constexpr std::uint64_t kReach = 16;

class OrderedFileTest : public testing::Test {
 protected:
  // All that comes out.
  Bytes output() {
    Bytes all = passed_;
    const auto rest = file_.rest();
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }

  MemoryFile front_{Bytes(kBegin)};
  Bytes passed_;
  OrderedFile file_{front_, kBegin, kReach, [this](std::span<const std::byte> bytes) {
                      passed_.insert(passed_.end(), bytes.begin(), bytes.end());
                    }};
};

TEST_F(OrderedFileTest, PutsWhatIsBeforeTheBeginningToTheFront) {
  file_.write(10, filled(5, 1));
  file_.write(kBegin - 5, filled(5, 2));
  EXPECT_EQ(output(), Bytes{});
  EXPECT_EQ(front_.data()[10], std::byte{1});
  EXPECT_EQ(front_.data()[kBegin - 1], std::byte{2});
  EXPECT_EQ(front_.size(), kBegin);
}

TEST_F(OrderedFileTest, PassesOnWhatMayNotBeWrittenAgain) {
  Bytes expected;
  for (int i = 0; i < 100; ++i) {
    file_.write(kBegin + expected.size(), filled(7, i));
    const Bytes more = filled(7, i);
    expected.insert(expected.end(), more.begin(), more.end());
    EXPECT_LE(passed_.size() + kReach, std::max<std::size_t>(expected.size(), kReach));
    EXPECT_LE(expected.size() - passed_.size(), 2 * kReach);
  }
  EXPECT_EQ(output(), expected);
}

TEST_F(OrderedFileTest, FillsWhatWasLeftOutWithinItsReach) {
  file_.write(kBegin, filled(4, 1));
  file_.write(kBegin + 20, filled(20, 3));
  file_.write(kBegin + 25, filled(3, 2));
  file_.resize(kBegin + 50);
  Bytes expected = filled(4, 1);
  expected.resize(20);
  const Bytes after = filled(20, 3);
  expected.insert(expected.end(), after.begin(), after.end());
  std::fill_n(expected.begin() + 25, 3, std::byte{2});
  expected.resize(50);
  EXPECT_EQ(output(), expected);
}

TEST_F(OrderedFileTest, RefusesToGoBackFurther) {
  file_.write(kBegin, filled(100, 1));
  EXPECT_EQ(code_of([&] { file_.write(kBegin + 83, filled(1, 2)); }), Errc::refused);
  file_.write(kBegin + 84, filled(1, 2));
  EXPECT_EQ(passed_.size(), 84);
}

}  // namespace
}  // namespace e2qcow
