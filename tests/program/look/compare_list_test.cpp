// SPDX-License-Identifier: GPL-2.0-or-later
// compare --list: what differs, and what it belongs to.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class CompareList : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({.mke2fs = {"-t", "ext4", "-b", "1024", "-O", "^metadata_csum"}, .size = "24M"});
    write_file(path("letter"), std::string(5000, 'x'));
    debugfs_write({"mkdir folder", "cd folder", "write letter letter"});
    fs::copy_file(path("disk.img"), path("before.img"));
  }
  Json list(const std::string& a, const std::string& b) const {
    const Outcome outcome = e2qcow({"compare", "--list", "--json", a, b});
    EXPECT_EQ(outcome.status, 1) << outcome;
    return Json::parse(outcome.out);
  }
  // Paths of the files, and whether their inodes differ.
  static std::map<std::string, bool> files_in(const Json& list) {
    std::map<std::string, bool> files;
    for (const Json& file : list["files"]) files[file.value("path", "?")] = file["inode-differs"];
    return files;
  }
};

// Each byte that cmp finds is in the list, and each range has such a byte.
TEST_F(CompareList, HasAllThatDiffersAndNothingElse) {
  debugfs_write({"rm /folder/letter", "write letter other", "sif /folder mtime 20200101"});
  const Json json = list("before.img", "disk.img");
  std::set<std::uint64_t> different;
  std::istringstream lines(run({"cmp", "-l", "before.img", "disk.img"}).out);
  for (std::string line; std::getline(lines, line);) different.insert((std::stoull(line) - 1) / 128);
  std::set<std::uint64_t> listed;
  for (const Json& part : json["differences"])
    for (std::uint64_t offset = part["start"];
         offset < part["start"].get<std::uint64_t>() + part["length"].get<std::uint64_t>(); offset += 128)
      listed.insert(offset / 128);
  EXPECT_TRUE(listed == different) << listed.size() << " and " << different.size();
  EXPECT_EQ(json["different-bytes"], different.size() * 128);
}

TEST_F(CompareList, NamesTheFilesWhoseInodesDiffer) {
  debugfs_write({"sif /folder/letter mtime 20200101"});
  const Json json = list("before.img", "disk.img");
  EXPECT_EQ(files_in(json), (std::map<std::string, bool>{{"/folder/letter", true}}));
  EXPECT_TRUE(json["classes"].contains("inode tables")) << json;
}

TEST_F(CompareList, NamesDirectoriesAndWhatIsGone) {
  debugfs_write({"unlink /folder/letter"});
  EXPECT_EQ(files_in(list("before.img", "disk.img")), (std::map<std::string, bool>{{"/folder", false}}));
  debugfs_write({"clri <2>"});  // what only the first disk knows
  EXPECT_TRUE(files_in(list("before.img", "disk.img")).contains("/"));
}

TEST_F(CompareList, WorksOnDumps) {
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "before"}).status, 0);
  debugfs_write({"sif /folder/letter uid 7"});
  EXPECT_EQ(e2qcow({"dump", "-q", "--base", "before", "disk.img", "after"}).status, 0);
  const Outcome outcome = e2qcow({"compare", "--list", "before", "after", "--backing-b", "before"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find(", /folder/letter: its inode\n"), std::string::npos) << outcome;
  const Outcome with_disk = e2qcow({"compare", "--list", "before", "disk.img"});
  EXPECT_NE(with_disk.out.find(", /folder/letter: its inode\n"), std::string::npos) << with_disk;
  EXPECT_EQ(with_disk.out.find(" data: "), std::string::npos) << with_disk;
}

TEST_F(CompareList, OfTheSameDiskIsEmpty) {
  const Outcome outcome = e2qcow({"compare", "--list", "before.img", "disk.img"});
  EXPECT_EQ(outcome, (Outcome{0, "The disks are the same\n", ""}));
}

}  // namespace
}  // namespace e2qcow::test
