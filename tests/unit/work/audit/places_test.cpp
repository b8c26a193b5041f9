// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/places.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace e2qcow::work {
namespace {

using ext2::TextKind;

class PlacesTest : public testing::Test {
 protected:
  void add(std::uint64_t owner, const std::string& bytes, std::uint64_t offset = 0) {
    places_.add({.id = next_id_++, .owner = owner, .offset = offset, .bytes = bytes});
  }
  void compare(std::uint64_t owner, const std::string& text, std::uint64_t offset = 0,
               TextKind kind = TextKind::name) {
    places_.compare({kind, owner, 0, offset, std::as_bytes(std::span(text))});
  }
  std::vector<std::uint64_t> matches() const {
    std::vector<std::uint64_t> ids;
    for (const auto& match : places_.judge(0.001).matches) ids.push_back(match.id);
    return ids;
  }
  using Ids = std::vector<std::uint64_t>;

  Places places_{1024};
  std::uint64_t next_id_ = 0;
};

TEST_F(PlacesTest, FindsAShortNameInItsDirectory) {
  add(2, "data");
  add(2, "root");
  places_.prepare();
  compare(2, "wR4x");
  compare(2, "root", 500);
  EXPECT_EQ(matches(), Ids{1});
  EXPECT_EQ(places_.judge(0.001).by_place, 2);
}

TEST_F(PlacesTest, DoesNotFindItElsewhereOrInPart) {
  add(2, "data");
  places_.prepare();
  compare(3, "data");
  compare(2, "dat");
  compare(2, "Data");
  compare(2, "datas");
  EXPECT_EQ(matches(), Ids{});
}

TEST_F(PlacesTest, ATextWithoutAnOwnerIsComparedInItsBlock) {
  add(0, "me", 1024 + 120);
  places_.prepare();
  compare(0, "me", 1024 + 500);
  EXPECT_EQ(matches(), Ids{0});
  Places other(1024);
  other.add({.owner = 0, .offset = 1024, .bytes = "me"});
  other.prepare();
  const std::string text = "me";
  other.compare({TextKind::label, 0, 0, 2048, std::as_bytes(std::span(text))});
  EXPECT_TRUE(other.judge(0.001).matches.empty());
}

// Names of four random letters: with thousands of them, some are the same by chance.
TEST_F(PlacesTest, WithManyShortNamesOnlyTheSameOffsetCounts) {
  for (std::uint64_t i = 0; i < 3000; ++i) add(2, fmt::format("{:04}", i), i * 12);
  places_.prepare();
  for (std::uint64_t i = 3000; i < 6000; ++i) compare(2, fmt::format("{:04}", i), i * 12);
  compare(2, "0007", 1);
  const auto judged = places_.judge(0.001);
  EXPECT_EQ(judged.by_place, 0);
  EXPECT_TRUE(judged.matches.empty());
  EXPECT_EQ(judged.chance_matches, 1);
  EXPECT_GT(judged.expected, 0.5);
}

TEST_F(PlacesTest, WithFewerAtTheSameOffsetIsFound) {
  const auto name = [](char first, std::uint64_t i) {
    return std::string{first, static_cast<char>('a' + i % 25), static_cast<char>('A' + i / 25), '_'};
  };
  for (std::uint64_t i = 0; i < 100; ++i) add(2, name('z', i), i * 12);
  places_.prepare();
  for (std::uint64_t i = 0; i < 100; ++i) compare(2, name('y', i), i * 12);
  compare(2, name('z', 7), 7 * 12);
  compare(2, name('z', 8), 1);
  const auto judged = places_.judge(0.001);
  EXPECT_EQ(judged.by_offset, 100);
  EXPECT_EQ(judged.chance_matches, 1);
  ASSERT_EQ(judged.matches.size(), 1U);
  EXPECT_EQ(judged.matches[0].id, 7);
}

// Nothing is there by chance where everything should be zero.
TEST_F(PlacesTest, InUnusedBytesEveryNameCounts) {
  for (std::uint64_t i = 0; i < 3000; ++i) add(2, fmt::format("{:04}", i), i * 12);
  places_.prepare();
  for (std::uint64_t i = 3000; i < 6000; ++i) compare(2, fmt::format("{:04}", i), i * 12);
  compare(2, "0007", 1, TextKind::deleted_name);
  EXPECT_EQ(places_.judge(0.001).matches.size(), 1U);
}

TEST_F(PlacesTest, MoreMatchesThanChanceExplainsCount) {
  for (std::uint64_t i = 0; i < 3000; ++i) add(2, fmt::format("{:04}", i), i * 12);
  places_.prepare();
  for (std::uint64_t i = 0; i < 3000; ++i) compare(2, fmt::format("{:04}", i), 50'000 + i);
  EXPECT_TRUE(places_.judge(0.001).has_too_many_matches);
  EXPECT_EQ(places_.judge(0.001).matches.size(), 3000U);
}

TEST_F(PlacesTest, FillerAndWordsThatStayAreNotCompared) {
  add(12, "xx");
  add(2, "lost+found");
  places_.prepare();
  compare(12, "xx", 0, TextKind::link_target);
  compare(2, "lost+found");
  EXPECT_EQ(matches(), Ids{});
}

}  // namespace
}  // namespace e2qcow::work
