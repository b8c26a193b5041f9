// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file/output_file.h"
#include "tests/support/bytes.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

// Each in a process of its own, as nothing brings rights back.
class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
      GTEST_SKIP() << "this kernel has no Landlock";
    write_text(existing_, "secret");
  }

  static bool can_open(const std::string& path, int flags) {
    const UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    return fd.get() >= 0;
  }

  TempDir directory_;
  std::string existing_ = directory_.file("existing");
};

TEST_F(SandboxTest, OpensNoFileAnyMore) {
  EXPECT_EXIT(
      {
        give_up_rights({});
        const bool opened = can_open("/etc/passwd", O_RDONLY) || can_open(existing_, O_RDONLY) ||
                            can_open(existing_, O_WRONLY) ||
                            can_open(directory_.file("new"), O_WRONLY | O_CREAT);
        ::_exit(opened ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(SandboxTest, GivesNamesInADirectoryButOpensNoFileThere) {
  EXPECT_EXIT(
      {
        OutputFile output(directory_.file("new"));
        output.file().write(0, text_bytes("complete"));
        give_up_rights({output.directory()});
        const bool opened = can_open(existing_, O_RDONLY) || can_open(existing_, O_WRONLY);
        output.commit(Durability::synced);
        ::_exit(opened ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_EQ(read_text(directory_.file("new")), "complete");
}

TEST_F(SandboxTest, ReplacesAFile) {
  EXPECT_EXIT(
      {
        OutputFile output(existing_);
        output.file().write(0, text_bytes("newer"));
        give_up_rights({output.directory()});
        output.commit(Durability::synced);
        ::_exit(0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_EQ(read_text(existing_), "newer");
}

TEST_F(SandboxTest, StillReadsWhatItIsToRead) {
  const TempDir readable;
  write_text(readable.file("inside"), "x");
  EXPECT_EXIT(
      {
        give_up_rights({}, {existing_, readable.file(""), "/no/such/file"});
        const bool reads = can_open(existing_, O_RDONLY) && can_open(readable.file("inside"), O_RDONLY);
        const bool more = can_open(existing_, O_WRONLY) || can_open(readable.file("inside"), O_RDWR) ||
                          can_open("/etc/passwd", O_RDONLY);
        ::_exit(reads && !more ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace e2qcow
