// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/image.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/unit/work/work_files.h"

namespace e2qcow::work {
namespace {

class ImageOfWork : public testing::Test, protected WorkFiles {
 protected:
  static Ending ending_of_read(const ImageOptions& options) {
    return ending_of([&] { ImageFiles(options).read(1); });
  }
};

TEST_F(ImageOfWork, ReadsTheDiskInAFile) {
  const Image image = ImageFiles({.path = write("image", small_image())}).read(1);
  EXPECT_EQ(image.data_bytes(), HandMadeImage::kCluster);
  Bytes disk(HandMadeImage::kDiskSize);
  image.disk().read(0, disk);
  EXPECT_TRUE(text_of(disk) == small_disk());
}

TEST_F(ImageOfWork, IsOnTopOfTheBackingFilesThatAreNamed) {
  const ImageFiles files({.path = write("image", small_overlay()), .backing = {write("b", "xy") + ":raw"}});
  EXPECT_EQ(files.names(), (std::vector{path("image"), path("b")}));
}

TEST_F(ImageOfWork, ReadsBackingFilesByTheFormatThatIsSaid) {
  const Image image =
      ImageFiles({.path = write("image", small_overlay()), .backing = {write("b", "xy") + ":raw"}}).read(1);
  EXPECT_EQ(image.data_bytes(), HandMadeImage::kCluster + 2);
  Bytes front(3);
  image.disk().read(0, front);
  EXPECT_EQ(text_of(front), std::string("xy\0", 3));
}

TEST_F(ImageOfWork, TellsTheFactAndNoOptionIfABackingFileIsMissing) {
  const Ending ending = ending_of_read({.path = write("image", small_overlay())});
  EXPECT_EQ(ending.code, Errc::missing_backing);
  EXPECT_EQ(ending.text, path("image") + ": needs a backing file ('base')");
}

TEST_F(ImageOfWork, GuessesNoFormat) {
  const Ending ending =
      ending_of_read({.path = write("image", small_overlay()), .backing = {write("b", small_image())}});
  EXPECT_EQ(ending.code, Errc::unknown_format);
}

TEST_F(ImageOfWork, RefusesABackingFileTooMany) {
  const std::string base = write("b", "xy") + ":raw";
  EXPECT_EQ(ending_of_read({.path = write("image", small_image()), .backing = {base}}).code,
            Errc::surplus_backing);
  EXPECT_EQ(
      ending_of_read({.path = write("image", small_overlay()), .backing = {base, write("c", "z")}}).code,
      Errc::surplus_backing);
}

TEST_F(ImageOfWork, RefusesADataFileTooMany) {
  const Ending ending =
      ending_of_read({.path = write("image", small_image()), .data_files = {write("data", "xy")}});
  EXPECT_EQ(ending.code, Errc::surplus_data_file);
  EXPECT_EQ(ending.text, path("data") + ": is one data file too many; no image has an external one");
}

TEST_F(ImageOfWork, RefusesALargerDiskThanIsAccepted) {
  const std::string image = write("image", small_image());
  EXPECT_EQ(ending_of_read({.path = image, .max_size = HandMadeImage::kDiskSize}).code, std::error_code());
  EXPECT_EQ(ending_of_read({.path = image, .max_size = HandMadeImage::kDiskSize - 1}).code, Errc::too_large);
}

TEST_F(ImageOfWork, WarnsOfWhatTheImageSaysOfItself) {
  HandMadeImage dirty = small_image();
  set_field(dirty.bytes, field::kIncompatible, 1);
  std::vector<std::string> notices;
  const auto notice = [&](const std::string& line) { notices.push_back(line); };
  ImageFiles({.path = write("image", dirty), .notice = notice}).read(1);
  ASSERT_EQ(notices.size(), 1);
  EXPECT_TRUE(notices[0].starts_with(path("image") + ": is marked as dirty")) << notices[0];
}

}  // namespace
}  // namespace e2qcow::work
