// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/program/support/block_devices.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

namespace e2qcow::test {

namespace fs = std::filesystem;

void BlockDeviceTest::SetUp() {
  FileSystemTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  if (::geteuid() != 0) GTEST_SKIP() << "this user is not root, who alone may attach loop devices and mount";
  write_file(path("probe"), std::string(4096, '\0'));
  const Outcome outcome = run({"losetup", "--find", "--show", "probe"});
  if (outcome.status != 0) GTEST_SKIP() << "there are no loop devices: " << outcome.err;
  run({"losetup", "--detach", outcome.out.substr(0, outcome.out.find('\n'))});
  make_file_system({{"-t", "ext4", "-b", "1024"}});
}

void BlockDeviceTest::TearDown() {
  for (; !mounted_.empty(); mounted_.pop_back()) output_of({"umount", mounted_.back()});
  for (; !partitioned_.empty(); partitioned_.pop_back()) output_of({"delpart", partitioned_.back(), "1"});
  for (; !attached_.empty(); attached_.pop_back()) output_of({"losetup", "--detach", attached_.back()});
}

std::string BlockDeviceTest::attach(const std::string& file, const Words& options) {
  Words words{"losetup", "--find", "--show", file};
  words.insert(words.end(), options.begin(), options.end());
  const std::string line = output_of(words);
  attached_.push_back(line.substr(0, line.find('\n')));
  return attached_.back();
}

std::string BlockDeviceTest::add_partition(const std::string& device, const std::string& first_sector,
                                           const std::string& sectors) {
  keep_mounts_alone();
  const Outcome outcome = run({"addpart", device, "1", first_sector, sectors});
  EXPECT_EQ(outcome.err.find("busy"), std::string::npos) << "a partition is left from before: " << outcome;
  if (outcome.status != 0) return "this kernel cannot add partitions to loop devices: " + outcome.err;
  partitioned_.push_back(device);
  return "";
}

void BlockDeviceTest::keep_mounts_alone() {
  mounts_ = UniqueFd(::open(E2QCOW_PROGRAM, O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::flock(mounts_.get(), LOCK_EX), 0);
}

std::string BlockDeviceTest::mount(const std::string& device, const Words& options) {
  Words words{"mount", device};
  words.insert(words.begin() + 1, options.begin(), options.end());
  return mount_on_new_directory(words);
}

std::string BlockDeviceTest::mount_small_tmpfs(const std::string& size) {
  return mount_on_new_directory({"mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs"});
}

std::string BlockDeviceTest::mount_on_new_directory(const Words& words) {
  const std::string directory = path("mounted-" + std::to_string(mounted_.size()));
  fs::create_directory(directory);
  Words complete = words;
  complete.push_back(directory);
  const Outcome outcome = run(complete);
  if (outcome.status == 0)
    mounted_.push_back(directory);
  else
    ADD_FAILURE() << outcome;
  return directory;
}

}  // namespace e2qcow::test
