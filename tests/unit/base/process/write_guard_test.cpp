// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "base/process/write_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "base/process/child.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

constexpr int kKilled = 128 + SIGKILL;

class WriteGuardTest : public testing::Test {
 protected:
  void SetUp() override {
    write_text(file_, "as it was");
    const UniqueFd fd(::open(file_.c_str(), O_RDONLY));
    if (::fcntl(fd.get(), F_SETLEASE, F_RDLCK) != 0) GTEST_SKIP() << "no leases in " << directory_.path();
  }

  // The file is $0.
  int run(const std::string& script) const { return run_child({"sh", "-c", script, file_}, {}).status; }

  struct Messages {
    std::string said;
    bool has_killed;
    int status;
  };
  // What a guard says of a script.
  Messages guarded(const std::string& script) const {
    Messages messages{};
    {
      WriteGuard guard({file_}, [&](const std::string& text) { messages.said += text + "\n"; });
      messages.status = run(script);
      messages.has_killed = guard.has_killed();
    }
    return messages;
  }

  TempDir directory_;
  std::string file_ = directory_.file("file");
};

TEST_F(WriteGuardTest, KillsAProgramThatWouldWrite) {
  ::symlink(file_.c_str(), directory_.file("link").c_str());
  ::link(file_.c_str(), directory_.file("second-name").c_str());
  for (const char* script :
       {"echo x >$0", "echo x >>$0", "exec 3<>$0", "env -i dd of=$0 count=1 if=/dev/zero",
        "cd ${0%/*} && echo x >link", "cd ${0%/*} && echo x >second-name"}) {
    const Messages messages = guarded(std::string("exec 2>&-; ") + script);
    EXPECT_EQ(messages.status, kKilled) << script;
    EXPECT_TRUE(messages.has_killed);
    EXPECT_TRUE(messages.said.starts_with(file_ + ": ")) << messages.said;
    EXPECT_TRUE(
        messages.said.ends_with(" opened the file itself for writing and was killed; it is unchanged\n"))
        << messages.said;
    EXPECT_EQ(read_text(file_), "as it was") << script;
  }
}

// O_NONBLOCK.
TEST_F(WriteGuardTest, LeavesAProgramThatDoesNotWaitAlone) {
  const Messages messages = guarded("truncate -s 0 $0 2>&-; exit 7");
  EXPECT_EQ(messages.status, 7);
  EXPECT_FALSE(messages.has_killed);
  EXPECT_EQ(messages.said,
            file_ + ": a program could not open the file itself for writing; it is unchanged\n");
  EXPECT_EQ(read_text(file_), "as it was");
}

TEST_F(WriteGuardTest, KillsEachOne) {
  const Messages messages = guarded("for i in 1 2 3 4 5; do sh -c 'echo x >$0' $0; done 2>&-; exit 7");
  EXPECT_EQ(messages.status, 7);
  EXPECT_EQ(std::ranges::count(messages.said, '\n'), 5);
  EXPECT_EQ(read_text(file_), "as it was");
}

// cat ends when all that hold the pipe have ended.
TEST_F(WriteGuardTest, KillsAnOrphan) {
  const Messages messages = guarded("( setsid sh -c 'exec 2>&-; echo x >$0' $0 & ) | cat");
  EXPECT_EQ(messages.status, 0);
  EXPECT_TRUE(messages.has_killed);
  EXPECT_EQ(read_text(file_), "as it was");
}

TEST_F(WriteGuardTest, LetsProgramsReadAndWriteElsewhere) {
  const Messages messages = guarded("cat $0 >$0.copy && cmp $0 $0.copy && exec 3<$0");
  EXPECT_EQ(messages.status, 0);
  EXPECT_EQ(messages.said, "");
  EXPECT_FALSE(messages.has_killed);
}

TEST_F(WriteGuardTest, LetsThroughWhoMayWrite) {
  std::string said;
  {
    const WriteGuard guard(
        {file_}, [&](const std::string& text) { said += text; }, [](pid_t) { return true; });
    EXPECT_EQ(run("echo new >$0"), 0);
  }
  EXPECT_EQ(said, "");
  EXPECT_EQ(read_text(file_), "new\n");
}

TEST_F(WriteGuardTest, EndsWithTheObject) {
  guarded("true");
  EXPECT_EQ(run("echo new >$0"), 0);
  EXPECT_EQ(read_text(file_), "new\n");
}

TEST_F(WriteGuardTest, LetsOthersThroughAndIsThereAgainAfterwards) {
  std::string said;
  {
    WriteGuard guard({file_}, [&](const std::string& text) { said += text + "\n"; });
    std::ofstream(file_) << "by us";
    while (run("exec 2>&-; echo -n 'by us' >$0") != kKilled) {
    }
  }
  EXPECT_TRUE(said.starts_with(file_ + ": another program opens it for writing: ")) << said;
  EXPECT_EQ(read_text(file_), "by us");
}

TEST_F(WriteGuardTest, SaysWhichFilesItCannotGuard) {
  std::string said;
  const auto note = [&](const std::string& text) { said += text + "\n"; };
  const std::ofstream writer(file_, std::ios::app);
  { const WriteGuard guard({file_, directory_.file("missing")}, note); }
  EXPECT_EQ(said, file_ +
                      ": programs cannot be kept from writing to it: it is open for writing already, as by "
                      "a loop device or a virtual machine\n");
}

}  // namespace
}  // namespace e2qcow
