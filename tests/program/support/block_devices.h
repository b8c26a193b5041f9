// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "tests/program/support/file_systems.h"

namespace e2qcow::test {

// Tests with loop devices and mounts; skipped if these are not allowed, as for all users but root.
class BlockDeviceTest : public FileSystemTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // The loop device over the file.
  std::string attach(const std::string& file, const Words& options = {});
  // Makes DEVICEp1 of a loop device. Returns why not, or nothing.
  std::string add_partition(const std::string& device, const std::string& first_sector,
                            const std::string& sectors);
  // Until the end of the test, no other test that calls this runs. Who makes a mount namespace keeps all
  // mounts busy, also those that another test has just ended; a partition cannot be removed then.
  void keep_mounts_alone();
  // The directory it is mounted on.
  std::string mount(const std::string& device, const Words& options = {});
  std::string mount_small_tmpfs(const std::string& size);

 private:
  std::string mount_on_new_directory(const Words& words);

  UniqueFd mounts_;
  Words mounted_;  // in the order in which they were made
  Words attached_;
  Words partitioned_;
};

}  // namespace e2qcow::test
