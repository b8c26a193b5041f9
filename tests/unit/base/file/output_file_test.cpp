// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/output_file.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

using Names = std::vector<std::string>;
constexpr auto kDurability = Durability::if_it_replaces;

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

void write_and_commit(const std::string& path, const std::string& text) {
  OutputFile output(path);
  output.file().write(0, text_bytes(text));
  output.commit(kDurability);
}

class OutputFileTest : public testing::Test {
 protected:
  TempDir directory_;
  std::string path_ = directory_.file("fs.qcow2");
};

TEST_F(OutputFileTest, AppearsUnderItsNameWhenItIsCommitted) {
  OutputFile output(path_);
  output.file().write(0, text_bytes("new"));
  EXPECT_FALSE(std::filesystem::exists(path_));
  output.commit(Durability::synced);
  EXPECT_EQ(read_text(path_), "new");
  EXPECT_EQ(directory_.names(), Names{"fs.qcow2"});
}

TEST_F(OutputFileTest, LeavesNothingWithoutACommit) {
  {
    OutputFile output(path_);
    output.file().write(0, text_bytes("new"));
  }
  EXPECT_EQ(directory_.names(), Names{});
}

TEST_F(OutputFileTest, LeavesAnOlderFileAsItWasWithoutACommit) {
  write_text(path_, "older");
  {
    OutputFile output(path_);
    output.file().write(0, text_bytes("new"));
    EXPECT_EQ(read_text(path_), "older");
  }
  EXPECT_EQ(read_text(path_), "older");
  EXPECT_EQ(directory_.names(), Names{"fs.qcow2"});
}

TEST_F(OutputFileTest, ReplacesAnOlderFileWhenItIsCommitted) {
  write_text(path_, "older and longer");
  write_and_commit(path_, "new");
  EXPECT_EQ(read_text(path_), "new");
  EXPECT_EQ(directory_.names(), Names{"fs.qcow2"});
}

TEST_F(OutputFileTest, IsPrivateIfItIsNew) {
  write_and_commit(path_, "new");
  EXPECT_EQ(mode_of(path_), 0600);
}

TEST_F(OutputFileTest, TakesOverThePermissionsOfAnOlderFile) {
  write_text(path_, "older");
  ASSERT_EQ(::chmod(path_.c_str(), 0664), 0);
  write_and_commit(path_, "new");
  EXPECT_EQ(mode_of(path_), 0664);
}

TEST_F(OutputFileTest, ReplacesTheFileASymbolicLinkPointsToAndKeepsTheLink) {
  std::filesystem::create_directory(directory_.file("elsewhere"));
  const std::string target = directory_.file("elsewhere/target");
  write_text(target, "older");
  std::filesystem::create_symlink("elsewhere/target", path_);
  write_and_commit(path_, "new");
  EXPECT_EQ(std::filesystem::read_symlink(path_), "elsewhere/target");
  EXPECT_EQ(read_text(target), "new");
  EXPECT_EQ(directory_.names(), (Names{"elsewhere", "fs.qcow2"}));
}

TEST_F(OutputFileTest, KeepsASymbolicLinkToAFileThatIsYetToBeWritten) {
  std::filesystem::create_symlink("target", path_);
  write_and_commit(path_, "new");
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  EXPECT_EQ(read_text(directory_.file("target")), "new");
}

TEST_F(OutputFileTest, MayBeInTheWorkingDirectory) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  write_and_commit("fs.qcow2", "new");
  std::filesystem::current_path(before);
  EXPECT_EQ(directory_.names(), Names{"fs.qcow2"});
}

TEST_F(OutputFileTest, RefusesADirectory) {
  const Ending ending = ending_of([&] { OutputFile output(directory_.path()); });
  EXPECT_EQ(ending.code, Errc::refused);
  EXPECT_EQ(ending.text, directory_.path() + ": exists and is neither a regular file nor a block device");
}

TEST_F(OutputFileTest, RefusesAFifoAndLeavesIt) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { OutputFile output(path_); }), Errc::refused);
  EXPECT_TRUE(std::filesystem::is_fifo(path_));
  EXPECT_EQ(directory_.names(), Names{"fs.qcow2"});
}

TEST_F(OutputFileTest, NamesTheFileIfTheDirectoryIsMissing) {
  const std::string path = directory_.file("missing/fs.qcow2");
  const Ending ending = ending_of([&] { OutputFile output(path); });
  EXPECT_EQ(ending.code, std::errc::no_such_file_or_directory);
  EXPECT_EQ(ending.text, path + ": create: No such file or directory");
}

TEST_F(OutputFileTest, NamesTheFileIfItsDirectoryIsAFile) {
  write_text(directory_.file("file"), "");
  const std::string path = directory_.file("file/fs.qcow2");
  EXPECT_EQ(code_of([&] { OutputFile output(path); }), std::errc::not_a_directory);
}

// Root may write everything.
[[noreturn]] void exit_with_whether_it_is_denied_to_others(const std::string& path) {
  constexpr uid_t kNobody = 65534;
  if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(2);
  ::_exit(code_of([&] { OutputFile output(path); }) == std::errc::permission_denied ? 0 : 1);
}

TEST_F(OutputFileTest, RefusesWhatItMayNotWrite) {
  write_text(path_, "older");
  ASSERT_EQ(::chmod(path_.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0777), 0);
  EXPECT_EXIT(exit_with_whether_it_is_denied_to_others(path_), testing::ExitedWithCode(0), "");
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0555), 0);
  EXPECT_EXIT(exit_with_whether_it_is_denied_to_others(directory_.file("new")), testing::ExitedWithCode(0),
              "");
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0700), 0);
}

TEST_F(OutputFileTest, LeavesNoLitterIfItCannotReplace) {
  {
    OutputFile output(path_);
    std::filesystem::create_directory(path_);
    EXPECT_EQ(code_of([&] { output.commit(kDurability); }), std::errc::is_a_directory);
  }
  EXPECT_TRUE(std::filesystem::is_directory(path_));
  EXPECT_EQ(directory_.names(), Names{"fs.qcow2"});
}

}  // namespace
}  // namespace e2qcow
