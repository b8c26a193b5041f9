// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/remote_options.h"

#include <gtest/gtest.h>

namespace e2qcow::cli {
namespace {

using Words = std::vector<std::string>;

TEST(Brackets, BecomeOneWord) {
  EXPECT_EQ(with_joined_brackets({"dump", "[", "nbdkit", "-r", "file", "a b", "]", "out"}),
            (Words{"dump", "[ nbdkit -r file 'a b' ]", "out"}));
  EXPECT_EQ(with_joined_brackets({"compare", "[", "a", "]", "[", "b", "]"}),
            (Words{"compare", "[ a ]", "[ b ]"}));
  EXPECT_EQ(with_joined_brackets({"measure", "[x]"}), (Words{"measure", "[x]"}));
}

TEST(Brackets, AreLeftAloneWhereTheyAreAProgram) {
  const Words words{"exec", "--", "[", "-f", "x", "]"};
  EXPECT_EQ(with_joined_brackets(words), words);
  EXPECT_EQ(with_joined_brackets({}), Words{});
}

TEST(Brackets, HaveAnEnd) {
  EXPECT_THROW(with_joined_brackets({"dump", "[", "nbdkit", "out"}), CLI::ValidationError);
}

}  // namespace
}  // namespace e2qcow::cli
