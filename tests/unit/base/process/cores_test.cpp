// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/cores.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

// A fake tree of the system, with the lines of proc(5).
class CoresOfQuota : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = tree_.file(path);
    std::filesystem::create_directories(file.parent_path());
    write_text(file, text);
  }
  void mount_v2(const std::string& root = "/") const {
    put("proc/self/mountinfo", "22 1 0:20 / / rw - ext4 /dev/sda rw\n35 22 0:30 " + root +
                                   " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  std::optional<unsigned> cores() const { return cores_of_quota(tree_.path()); }

  TempDir tree_;
};

TEST_F(CoresOfQuota, AreNotKnownWithoutControlGroups) {
  EXPECT_EQ(cores(), std::nullopt);
  put("proc/self/mountinfo", "");
  put("proc/self/cgroup", "");
  EXPECT_EQ(cores(), std::nullopt);
}

TEST_F(CoresOfQuota, OfVersion2AreRoundedUp) {
  mount_v2();
  put("proc/self/cgroup", "0::/job\n");
  put("sys/fs/cgroup/job/cpu.max", "250000 100000\n");
  EXPECT_EQ(cores(), 3U);
  put("sys/fs/cgroup/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(cores(), 2U);
  put("sys/fs/cgroup/job/cpu.max", "1000 100000\n");
  EXPECT_EQ(cores(), 1U);
}

TEST_F(CoresOfQuota, MaxIsNoQuota) {
  mount_v2();
  put("proc/self/cgroup", "0::/job\n");
  put("sys/fs/cgroup/job/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(), std::nullopt);
}

TEST_F(CoresOfQuota, TheLeastOfAllGroupsAboveCounts) {
  mount_v2();
  put("proc/self/cgroup", "0::/slice/pod/job\n");
  put("sys/fs/cgroup/slice/cpu.max", "400000 100000\n");
  put("sys/fs/cgroup/slice/pod/cpu.max", "150000 100000\n");
  put("sys/fs/cgroup/slice/pod/job/cpu.max", "max 100000\n");
  put("sys/fs/cgroup/slice/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(cores(), 2U);
}

TEST_F(CoresOfQuota, OfAContainerAreThoseAtItsMountPoint) {
  mount_v2("/docker/1234");
  put("sys/fs/cgroup/cpu.max", "300000 100000\n");
  put("sys/fs/cgroup/inner/cpu.max", "200000 100000\n");
  for (const auto& [group, wanted] : {std::pair("/docker/1234", 3U), std::pair("/docker/1234/inner", 2U),
                                      std::pair("/docker/12345", 3U), std::pair("/elsewhere", 3U)}) {
    put("proc/self/cgroup", std::string("0::") + group + "\n");
    EXPECT_EQ(cores(), wanted) << group;
  }
}

TEST_F(CoresOfQuota, OfVersion1AreThoseOfTheProcessorController) {
  put("proc/self/mountinfo",
      "30 22 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "31 22 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  put("proc/self/cgroup", "9:cpuset:/other\n4:cpu,cpuacct:/batch/job\n0::/\n");
  put("sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores(), std::nullopt);
  put("sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us", "120000\n");
  put("sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(cores(), 3U);
  put("sys/fs/cgroup/cpu,cpuacct/batch/job/cpu.cfs_quota_us", "10000\n");
  EXPECT_EQ(cores(), 1U);
}

TEST_F(CoresOfQuota, NonsenseIsNoQuota) {
  mount_v2();
  put("proc/self/cgroup", "\n:\n0:\n0::/job\n");
  for (const char* text :
       {"", "x y\n", "100000\n", "100000 0\n", "-5 100000\n", "99999999999999999999 1\n"}) {
    put("sys/fs/cgroup/job/cpu.max", text);
    EXPECT_EQ(cores(), std::nullopt) << text;
  }
}

// A group of the system, of either version; empty if none can be made here.
std::string make_group(const std::string& quota_file, const std::string& quota) {
  for (const char* top : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"}) {
    const std::string group = std::string(top) + "/e2qcow-test." + std::to_string(::getpid());
    std::error_code failed;
    if (!std::filesystem::create_directory(group, failed)) continue;
    std::ofstream file(group + "/" + quota_file, std::ios::in);  // not made: it is there, or not
    if (file << quota << std::flush) return group;
    std::filesystem::remove(group, failed);
  }
  return "";
}

// What a process in the group gets.
int cores_in(const std::string& group) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::ofstream(group + "/cgroup.procs") << 0 << std::flush;
    ::_exit(static_cast<int>(cores_of_quota("").value_or(255)));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(UsableCores, AreThoseOfARealGroup) {
  std::string group = make_group("cpu.cfs_quota_us", "150000");
  if (group.empty()) group = make_group("cpu.max", "150000 100000");
  if (group.empty()) GTEST_SKIP() << "no control group with a quota can be made here";
  EXPECT_EQ(cores_in(group), 2);
  EXPECT_EQ(::rmdir(group.c_str()), 0);
}

TEST(UsableCores, AreAtMostThoseThatTheProcessMayRunOn) {
  std::thread([] {
    cpu_set_t set;
    ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
    EXPECT_GE(usable_cores(), 1U);
    EXPECT_LE(usable_cores(), static_cast<unsigned>(CPU_COUNT(&set)));
    int first = 0;
    while (!CPU_ISSET(first, &set)) ++first;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    ASSERT_EQ(::sched_setaffinity(0, sizeof set, &set), 0);
    EXPECT_EQ(usable_cores(), 1U);
  }).join();
}

}  // namespace
}  // namespace e2qcow
