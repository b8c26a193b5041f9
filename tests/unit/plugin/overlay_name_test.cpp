// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/overlay_name.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace e2qcow::plugin {
namespace {

namespace fs = std::filesystem;

class OverlayName : public testing::Test {
 protected:
  OverlayName() { fs::create_directory(directory_.file("inner")); }
  std::string path(const std::string& name) const {
    return (fs::canonical(directory_.path()) / name).string();
  }
  TempDir directory_;
};

TEST_F(OverlayName, IsOnlyTheFileNameInTheSameDirectory) {
  EXPECT_EQ(backing_name(path("fs.qcow2"), path("new")), "fs.qcow2");
  EXPECT_EQ(backing_name(path("fs.qcow2"), path("inner/../new")), "fs.qcow2");
  EXPECT_EQ(backing_name(path("fs.qcow2"), path("inner/new")), path("fs.qcow2"));
}

// QEMU looks for it beside the name by which it is told of the overlay.
TEST_F(OverlayName, IsFoundByALinkAndByTheFile) {
  fs::create_symlink("inner/file", path("to-inner"));
  fs::create_symlink("../file", path("inner/to-outer"));
  fs::create_symlink("file", path("to-outer"));
  EXPECT_EQ(backing_name(path("fs.qcow2"), path("to-inner")), path("fs.qcow2"));
  EXPECT_EQ(backing_name(path("fs.qcow2"), path("inner/to-outer")), path("fs.qcow2"));
  EXPECT_EQ(backing_name(path("fs.qcow2"), path("to-outer")), "fs.qcow2");
}

TEST_F(OverlayName, IsNothingThatQemuTakesForAProtocol) {
  EXPECT_EQ(backing_name(path("nbd:fs"), path("new")), path("nbd:fs"));
}

TEST_F(OverlayName, IsThatOfTheImageAndOfNoOther) {
  EXPECT_TRUE(is_backing_name("fs.qcow2", path("fs.qcow2"), path("new")));
  EXPECT_TRUE(is_backing_name(path("fs.qcow2"), path("fs.qcow2"), path("new")));
  EXPECT_TRUE(is_backing_name("../fs.qcow2", path("fs.qcow2"), path("inner/new")));
  EXPECT_FALSE(is_backing_name("fs.qcow2", path("fs.qcow2"), path("inner/new")));
  EXPECT_FALSE(is_backing_name("other", path("fs.qcow2"), path("new")));
}

}  // namespace
}  // namespace e2qcow::plugin
