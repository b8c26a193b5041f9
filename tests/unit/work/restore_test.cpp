// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/restore.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/unit/work/work_files.h"

namespace e2qcow::work {
namespace {

class Restore : public testing::Test, protected WorkFiles {
 protected:
  static RestoreResult restore(const RestoreOptions& options) {
    return RestoreFiles(options).restore(options);
  }
};

TEST_F(Restore, WritesTheDiskToAFile) {
  const RestoreResult result =
      restore({.image = {.path = write("image", small_image())}, .target = path("disk")});
  EXPECT_EQ(result.size, HandMadeImage::kDiskSize);
  EXPECT_EQ(result.data_bytes, HandMadeImage::kCluster);
  EXPECT_EQ(result.lost_bytes, 0);
  EXPECT_TRUE(read_text(path("disk")) == small_disk());
}

TEST_F(Restore, RefusesToOverwriteTheImage) {
  const std::string image = write("image", small_image());
  EXPECT_EQ(code_of([&] { restore({.image = {.path = image}, .target = image}); }), Errc::overwrites_input);
  EXPECT_EQ(read_text(image), text_of(small_image().bytes));
}

TEST_F(Restore, RefusesToOverwriteABackingFile) {
  const std::string base = write("base", "xy");
  const ImageOptions image{.path = write("image", small_overlay()), .backing = {base + ":raw"}};
  EXPECT_EQ(code_of([&] { restore({.image = image, .target = base}); }), Errc::overwrites_input);
  EXPECT_EQ(read_text(base), "xy");
}

TEST_F(Restore, LeavesNothingIfTheImageIsNone) {
  const std::string image = write("image", "text");
  EXPECT_EQ(code_of([&] { restore({.image = {.path = image}, .target = path("disk")}); }), Errc::not_qcow2);
  EXPECT_EQ(directory.names(), std::vector<std::string>{"image"});
}

TEST_F(Restore, NamesTheDirectoryInWhichAFileGetsItsName) {
  const RestoreFiles files({.image = {.path = write("image", small_image())}, .target = path("disk")});
  EXPECT_EQ(files.naming_directories(), std::vector{directory.path()});
}

}  // namespace
}  // namespace e2qcow::work
