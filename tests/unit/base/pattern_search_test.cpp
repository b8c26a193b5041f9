// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/pattern_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/support/bytes.h"
#include "tests/support/random.h"

namespace e2qcow {
namespace {

using Found = std::vector<std::tuple<std::size_t, std::uint64_t, bool>>;

PatternSearch search_for(std::size_t window, const std::vector<std::string>& patterns) {
  PatternSearch search(window);
  for (std::size_t i = 0; i < patterns.size(); ++i) EXPECT_TRUE(search.add(patterns[i], i));
  search.prepare();
  return search;
}

Found found_in(const PatternSearch& search, const Bytes& bytes, std::size_t begins = ~std::size_t{0}) {
  Found found;
  search.search(bytes, begins,
                [&](const PatternSearch::Hit& hit) { found.emplace_back(hit.offset, hit.id, hit.is_wide); });
  std::ranges::sort(found);
  return found;
}

std::string wide(const std::string& text) {
  std::string result;
  for (const char c : text) (result += c) += '\0';
  return result;
}

TEST(PatternSearchTest, FindsEachStringWhereverItIs) {
  const auto search = search_for(4, {"secret", "letter.txt"});
  EXPECT_EQ(found_in(search, text_bytes("secret and letter.txt, secret")),
            (Found{{0, 0, false}, {11, 1, false}, {23, 0, false}}));
  EXPECT_EQ(found_in(search, text_bytes("secre, letter.tx")), Found());
}

TEST(PatternSearchTest, FindsTheOtherCase) {
  const auto search = search_for(4, {"Secret"});
  EXPECT_EQ(found_in(search, text_bytes("SECRET.sEcReT")), (Found{{0, 0, false}, {7, 0, false}}));
}

TEST(PatternSearchTest, FindsUtf16OfBothByteOrdersAtBothParities) {
  const auto search = search_for(4, {"secret"});
  EXPECT_EQ(found_in(search, text_bytes(wide("secret"))), (Found{{0, 0, true}}));
  EXPECT_EQ(found_in(search, text_bytes(std::string("\0", 1) + wide("SECRET"))), (Found{{1, 0, true}}));
  EXPECT_EQ(found_in(search, text_bytes(std::string(32, '\0') + wide("a secret!"))), (Found{{36, 0, true}}));
  EXPECT_EQ(found_in(search, text_bytes(std::string(33, '\0') + wide("a secret!"))), (Found{{37, 0, true}}));
  EXPECT_EQ(found_in(search, text_bytes("s.e.c.r.e.t.")), Found());
}

TEST(PatternSearchTest, FindsAStringThatContainsAnother) {
  const auto search = search_for(4, {"letter", "letter.txt"});
  EXPECT_EQ(found_in(search, text_bytes("letter.txt")), (Found{{0, 0, false}, {0, 1, false}}));
}

TEST(PatternSearchTest, FindsStringsWithZerosByAWindowWithout) {
  const auto search = search_for(4, {std::string("\0\0ab\0cdefg\0", 11)});
  EXPECT_EQ(found_in(search, text_bytes(std::string("..\0\0AB\0CDEFG\0", 13))), (Found{{2, 0, false}}));
  PatternSearch other(4);
  EXPECT_FALSE(other.add(std::string("abc\0def", 7), 0));
  EXPECT_FALSE(other.add("abc", 0));
  EXPECT_FALSE(other.add(std::string(PatternSearch::kMaxLength + 1, 'x'), 0));
}

TEST(PatternSearchTest, CountsWhatBeginsInTheFirstPartOnly) {
  const auto search = search_for(4, {"secret"});
  EXPECT_EQ(found_in(search, text_bytes("..secret"), 3), (Found{{2, 0, false}}));
  EXPECT_EQ(found_in(search, text_bytes("..secret"), 2), Found());
}

TEST(PatternSearchTest, FindsTheFirstOfEqualStrings) {
  const auto search = search_for(4, {"secret", "SECRET", "secret"});
  EXPECT_EQ(search.count(), 1);
  EXPECT_EQ(found_in(search, text_bytes("secret")), (Found{{0, 0, false}}));
}

TEST(PatternSearchTest, FindsNothingIfItHasNoStrings) {
  EXPECT_EQ(found_in(search_for(4, {}), text_bytes("secret")), Found());
}

// Against a search without any cleverness.
TEST(PatternSearchTest, FindsInRandomTextWhatASimpleSearchFinds) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    const auto text = [&](std::size_t length) {
      std::string result;
      for (std::size_t i = 0; i < length; ++i) result += "ab\0"[random.below(3)];
      return result;
    };
    const std::size_t window = 1 + random.below(4);
    PatternSearch search(window);
    std::vector<std::string> patterns;
    for (int i = 0; i < 5; ++i) {
      const std::string pattern = text(window + random.below(6));
      if (std::ranges::find(patterns, pattern) != patterns.end()) continue;
      if (search.add(pattern, patterns.size())) patterns.push_back(pattern);
    }
    search.prepare();
    const std::string bytes = text(random.below(80));
    Found expected;
    for (std::size_t offset = 0; offset < bytes.size(); ++offset)
      for (std::size_t i = 0; i < patterns.size(); ++i) {
        if (bytes.compare(offset, patterns[i].size(), patterns[i]) == 0)
          expected.emplace_back(offset, i, false);
      }
    Found narrow;
    for (const auto& hit : found_in(search, text_bytes(bytes)))
      if (!std::get<2>(hit)) narrow.push_back(hit);
    EXPECT_EQ(narrow, expected);
  }
}

}  // namespace
}  // namespace e2qcow
