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

// A link whose inode was damaged so that its target counts as something else.
class DamagedLink : public AnonymizedDump {
 protected:
  std::string dump_of(const std::string& target, const std::string& mode, const Words& options,
                      const std::string& size) const {
    std::filesystem::remove(path("links.img"));
    Words make{"mke2fs", "-q", "-F", "-N", "20000", "-J", "size=4"};
    make.insert(make.end(), options.begin(), options.end());
    make.insert(make.end(), {"links.img", size});
    output_of(make);
    output_of({"debugfs", "-w", "-R", "symlink link " + target, "links.img"});
    output_of({"debugfs", "-w", "-R", "set_inode_field link mode " + mode, "links.img"});
    EXPECT_LE(
        e2qcow({"dump", "-q", "--anonymize", "--compress=none", "--cluster-size=64k", "links.img", "links"})
            .status,
        3);
    return read_file(path("links"));
  }
};

// Of more than 2 TiB, blocks have numbers that are four letters.
TEST_F(DamagedLink, LeavesNoPiecesOfTheTargetAsBlocks) {
  const std::string image = dump_of("secrettargetofalink/withname/abcdef", "0100644",
                                    {"-t", "ext4", "-b", "4096", "-O", "^resize_inode,sparse_super2"}, "9T");
  for (const char* piece : {"secr", "rget", "withn"})
    EXPECT_EQ(image.find(piece), std::string::npos) << piece;
}

TEST_F(DamagedLink, LeavesNoPieceOfTheTargetAsNumberOfADevice) {
  for (const char* target : {"Geheimes/Ziel/pfad", "Geheimes"}) {
    const std::string image = dump_of(target, "020777", {"-t", "ext4", "-b", "4096"}, "64M");
    EXPECT_EQ(image.find("Geheim"), std::string::npos);
  }
}

TEST_F(AnonymizedDump, HasNoPiecesOfContentsAsBlocksInItsReport) {
  make_file_system({{"-t", "ext2", "-b", "1024"}});
  write_file(path("contents"), std::string(400'000, 'c'));
  output_of({"debugfs", "-w", "-R", "write contents letters", "disk.img"});
  const std::string stat = output_of({"debugfs", "-R", "stat letters", "disk.img"});
  const std::string indirect = stat.substr(stat.find("(DIND):") + 7);
  patch_file(path("disk.img"), std::stoull(indirect) * 1024, "secret words");
  EXPECT_EQ(e2qcow({"dump", "-q", "--anonymize", "--report=report", "disk.img", "image"}).status, 3);
  const std::string report = read_file(path("report"));
  EXPECT_NE(report.find("block-out-of-range"), std::string::npos);
  for (const std::uint32_t piece : {0x72636573U, 0x77207465U, 0x7364726fU})  // little-endian
    EXPECT_EQ(report.find(std::to_string(piece)), std::string::npos);
}

TEST_F(AnonymizedDump, IsNotMadeOfAJournalAlone) {
  output_of({"mke2fs", "-q", "-F", "-O", "journal_dev", "journal.img", "4M"});
  expect_failure(e2qcow({"dump", "--anonymize", "journal.img", "image"}), {"journal.img: is a journal"});
}

TEST_F(AnonymizedDump, KeepsItsKey) {
  write_file(path("key"), std::string(64, '1') + "\n");
  for (const Words& options : {Words{"--report=key"}, Words{"--name-map=key"}, Words{"--map-out=key"}})
    expect_failure(e2qcow({"dump", "--anonymize", "--anonymize-key=key", options[0], "disk.img", "image"}),
                   {"key"});
  expect_failure(e2qcow({"dump", "--anonymize", "--anonymize-key=key", "disk.img", "key"}), {"key"});
  EXPECT_EQ(read_file(path("key")), std::string(64, '1') + "\n");
  expect_failure(e2qcow({"dump", "--anonymize", "--anonymize-key=-", "disk.img", "image"}),
                 {"standard output"});
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
