// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/hints.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "cli/command.h"

namespace e2qcow::cli {
namespace {

// The hint of a command for an error, after these words were given to it.
class Hint : public testing::Test {
 protected:
  Hint() {
    add_dump(app_, chosen_);
    add_restore(app_, chosen_);
    add_info(app_, chosen_);
    add_compare(app_, chosen_);
  }
  std::string hint(Errc code, std::vector<std::string> words) {
    std::ranges::reverse(words);
    app_.parse(std::move(words));
    return hint_for(code, *app_.get_subcommands().front());
  }

  CLI::App app_;
  Chosen chosen_;
};

TEST_F(Hint, NamesTheOptionOfTheCommand) {
  EXPECT_EQ(hint(Errc::missing_backing, {"restore", "image", "target"}),
            "; name it with --backing FILE:raw or FILE:qcow2 if you trust it");
  EXPECT_EQ(hint(Errc::missing_backing, {"compare", "a", "b"}),
            "; name it with --backing-a or --backing-b FILE:raw or FILE:qcow2 if you trust it");
}

TEST_F(Hint, IsNotGivenByACommandWithoutTheOption) {
  EXPECT_EQ(hint(Errc::missing_backing, {"info", "image"}), "");
  EXPECT_EQ(hint(Errc::unknown_mounts, {"restore", "image", "target"}), "");
  EXPECT_EQ(hint(Errc::unknown_mounts, {"dump", "device", "image"}), "; --force continues");
}

TEST_F(Hint, IsNotGivenForAFlagThatIsThere) {
  EXPECT_NE(hint(Errc::too_small, {"restore", "image", "target"}), "");
  EXPECT_EQ(hint(Errc::too_small, {"restore", "--fit", "image", "target"}), "");
}

TEST_F(Hint, IsGivenAgainForAnOptionWithAValue) {
  EXPECT_NE(hint(Errc::missing_backing, {"restore", "--backing=base", "image", "target"}), "");
}

TEST_F(Hint, SaysHowToNameAFormatIfThatIsPossible) {
  EXPECT_EQ(hint(Errc::ambiguous, {"compare", "a", "b"}), "; choose one with FILE:qcow2 or FILE:raw");
  EXPECT_EQ(hint(Errc::ambiguous, {"restore", "image", "target"}), "");
}

TEST_F(Hint, IsNoneForErrorsThatNoOptionHelps) {
  EXPECT_EQ(hint(Errc::corrupt, {"restore", "image", "target"}), "");
  const auto no_space = std::make_error_code(std::errc::no_space_on_device);
  EXPECT_EQ(hint_for(no_space, *app_.get_subcommand("restore")), "");
}

}  // namespace
}  // namespace e2qcow::cli
