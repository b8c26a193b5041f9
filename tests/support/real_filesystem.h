// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "base/file/posix_file.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {

// For tests on file systems that mke2fs makes. They are skipped if it is missing, and fail in CI.
class RealFilesystem : public testing::Test {
 protected:
  void SetUp() override {
    if (run("mke2fs -V") == 0) return;
    if (std::getenv("E2QCOW_CI") != nullptr) FAIL() << "mke2fs is missing";
    GTEST_SKIP() << "mke2fs is missing";
  }

  // Returns the path.
  std::string make(const std::string& options, const std::string& size) const {
    const std::string path = directory_.file("fs.img");
    EXPECT_EQ(run("mke2fs -q -F " + options + " '" + path + "' " + size), 0) << options;
    return path;
  }
  std::unique_ptr<PosixFile> open(const std::string& path) const { return open_for_reading(path); }

 private:
  static int run(const std::string& command) {
    return std::system(("PATH=$PATH:/usr/sbin:/sbin; " + command + " >/dev/null 2>&1").c_str());
  }

  TempDir directory_;
};

}  // namespace e2qcow
