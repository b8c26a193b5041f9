// SPDX-License-Identifier: GPL-2.0-or-later
// What the command line takes besides commands and their long options.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

class CommandWords : public FileSystemTest {};

TEST_F(CommandWords, HelpShowsWhatTheOptionDoes) {
  EXPECT_EQ(e2qcow({"help"}), e2qcow({"--help"}));
  EXPECT_EQ(e2qcow({"help", "dump"}), e2qcow({"dump", "--help"}));
  EXPECT_EQ(e2qcow({"help", "exec"}), e2qcow({"exec", "--help"}));
  EXPECT_EQ(e2qcow({"help", "dump"}).status, 0);
  expect_failure(e2qcow({"help", "nothing"}), {"there is no command 'nothing'"}, 2);
  EXPECT_EQ(e2qcow({"-V"}), e2qcow({"--version"}));
}

TEST_F(CommandWords, ANearMissIsAnsweredWithWhatIsMeant) {
  expect_failure(e2qcow({"dmp", "a", "b"}), {"there is no command 'dmp'; did you mean dump?"}, 2);
  expect_failure(e2qcow({"resotre"}), {"did you mean restore?"}, 2);
  expect_failure(e2qcow({"dump", "--al", "a", "b"}), {"--al; did you mean --all?"}, 2);
  expect_failure(e2qcow({"dump", "--compres=zstd", "a", "b"}), {"did you mean --compress?"}, 2);
  for (const Words& far : {Words{"xyz"}, Words{"x"}, Words{"dump", "--entirely-else", "a", "b"},
                           Words{"dump", std::string(100'000, 'd'), "b", "c"}}) {
    const Outcome outcome = e2qcow(far);
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.err.find("did you mean"), std::string::npos) << outcome;
  }
}

TEST_F(CommandWords, ExecTakesTheProgramWithoutDashes) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "image"}).status, 0);
  EXPECT_EQ(e2qcow({"exec", "dumpe2fs", "-h", "image"}), e2qcow({"exec", "--", "dumpe2fs", "-h", "image"}));
  EXPECT_EQ(e2qcow({"exec", "--cache-size", "2M", "--no-verify", "dumpe2fs", "-h", "image"}).status, 0);
  EXPECT_EQ(e2qcow({"exec", "--cache-size=2M", "dumpe2fs", "-h", "image"}).status, 0);
  EXPECT_EQ(e2qcow({"exec", "printf", "%s,", "--help", "--", "-x"}).out, "--help,--,-x,");
  EXPECT_EQ(e2qcow({"exec", "--", "printf", "%s,", "--"}).out, "--,");
  expect_failure(e2qcow({"exec", "--cache-size", "2M"}), {"COMMAND is required"}, 2);
}

TEST_F(CommandWords, OutputAndProgressHaveTheWordsOfQemuImg) {
  make_file_system();
  const Outcome outcome = e2qcow({"measure", "--output=json", "disk.img"});
  EXPECT_EQ(outcome.out, e2qcow({"measure", "--json", "disk.img"}).out);
  EXPECT_TRUE(nlohmann::json::accept(outcome.out)) << outcome;
  EXPECT_EQ(e2qcow({"measure", "--output", "human", "disk.img"}).out, e2qcow({"measure", "disk.img"}).out);
  EXPECT_TRUE(nlohmann::json::accept(e2qcow({"measure", "--output=json", "nothing"}).out));
  EXPECT_EQ(e2qcow({"dump", "-p", "disk.img", "image"}).status, 0);
  expect_failure(e2qcow({"dump", "-p", "--progress=never", "disk.img", "image"}), {"--progress"}, 2);
}

}  // namespace
}  // namespace e2qcow::test
