// SPDX-License-Identifier: GPL-2.0-or-later
// `dump --anonymize` as users see it. tests/anonymize looks for what must not be in such a dump.
#include <algorithm>
#include <sstream>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

class AnonymizedDump : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({{"-t", "ext4", "-b", "1024", "-L", "payroll"}});
  }
  void dump(const Words& options = {}) const {
    Words words{E2QCOW_PROGRAM, "dump", "-q", "--anonymize", "disk.img", "image"};
    words.insert(words.end(), options.begin(), options.end());
    output_of(words);
  }
  // What e2fsck says, but for the name of the file and the label.
  Outcome checked(const std::string& disk) const {
    Outcome outcome = run({"e2fsck", "-fn", disk});
    for (const std::string& name : {disk, std::string("payroll"), std::string("anonymized")})
      for (std::size_t at = 0; (at = outcome.out.find(name)) != std::string::npos;)
        outcome.out.replace(at, name.size(), "");
    return outcome;
  }
};

TEST_F(AnonymizedDump, IsCheckedAsTheDiskIs) {
  dump();
  expect_restored_as_by_qemu("image", "ours.raw");
  const Outcome expected = checked("disk.img");
  EXPECT_EQ(expected.status, 0) << expected;
  EXPECT_EQ(checked("ours.raw"), expected);
}

TEST_F(AnonymizedDump, HasNoNames) {
  dump();
  output_of({E2QCOW_PROGRAM, "restore", "-q", "image", "ours.raw"});
  const std::string before = output_of({"debugfs", "-R", "ls -p /", "disk.img"});
  const std::string after = output_of({"debugfs", "-R", "ls -p /", "ours.raw"});
  EXPECT_EQ(std::ranges::count(before, '\n'), std::ranges::count(after, '\n'));
  for (const char* name : {"hard-link", "with-holes", "small"}) {
    EXPECT_NE(before.find(name), std::string::npos) << name;
    EXPECT_EQ(after.find(name), std::string::npos) << name;
  }
  EXPECT_NE(after.find("lost+found"), std::string::npos);
  EXPECT_EQ(read_file(path("ours.raw")).find("payroll"), std::string::npos);
}

TEST_F(AnonymizedDump, IsShownAsOne) {
  dump();
  EXPECT_NE(output_of({E2QCOW_PROGRAM, "info", "image"}).find("anonymized:    yes (key "), std::string::npos);
  output_of({E2QCOW_PROGRAM, "dump", "-q", "disk.img", "plain"});
  EXPECT_EQ(output_of({E2QCOW_PROGRAM, "info", "plain"}).find("anonymized"), std::string::npos);
}

TEST_F(AnonymizedDump, IsTheSameWithTheSameKey) {
  dump({"--anonymize-key=key", "--threads=1"});
  const std::string first = read_file(path("image"));
  dump({"--anonymize-key=key", "--threads=4"});
  EXPECT_TRUE(read_file(path("image")) == first);
  dump();
  EXPECT_FALSE(read_file(path("image")) == first);
}

TEST_F(AnonymizedDump, HasNoContentsOfFiles) {
  const Outcome outcome = e2qcow({"dump", "--anonymize", "--all", "disk.img", "image"});
  EXPECT_EQ(outcome.status, 2) << outcome;
  EXPECT_NE(outcome.err.find("--all"), std::string::npos) << outcome;
  EXPECT_FALSE(std::filesystem::exists(path("image")));
}

// For the owner of the disk alone.
TEST_F(AnonymizedDump, HasANameMapBesideIt) {
  dump({"--name-map=names"});
  EXPECT_EQ(std::filesystem::status(path("names")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  output_of({E2QCOW_PROGRAM, "restore", "-q", "image", "ours.raw"});
  std::istringstream lines(read_file(path("names")));
  std::size_t checked = 0;
  for (std::string line; std::getline(lines, line);) {
    std::string inode;
    std::string directory;
    std::string after;
    std::string before;
    std::istringstream fields(line);
    for (std::string* field : {&inode, &directory, &after, &before}) std::getline(fields, *field, '\t');
    if (directory != "2") continue;
    ++checked;
    const std::string was = output_of({"debugfs", "-R", "stat \"/" + before + "\"", "disk.img"});
    const std::string is = output_of({"debugfs", "-R", "stat \"/" + after + "\"", "ours.raw"});
    EXPECT_EQ(is.substr(0, is.find('\n')), was.substr(0, was.find('\n'))) << line;
    EXPECT_EQ(is.rfind("Inode: " + inode + " ", 0), 0) << is;
  }
  EXPECT_GT(checked, 5);
}

TEST_F(AnonymizedDump, MakesNoKeyIfItCannotBeWritten) {
  expect_failure(e2qcow({"dump", "--anonymize", "--anonymize-key=key", "disk.img", "no/image"}),
                 {"no/image"});
  EXPECT_FALSE(std::filesystem::exists(path("key")));
  write_file(path("bad"), "zz\n");
  expect_failure(e2qcow({"dump", "--anonymize", "--anonymize-key=bad", "disk.img", "image"}),
                 {"bad: is not a key"});
  EXPECT_FALSE(std::filesystem::exists(path("image")));
}

TEST_F(AnonymizedDump, HasNoNameMapOnStandardOutput) {
  const Outcome outcome = e2qcow({"dump", "--anonymize", "--name-map=-", "disk.img", "image"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << outcome;
  EXPECT_FALSE(std::filesystem::exists(path("image")));
}

}  // namespace
}  // namespace e2qcow::test
