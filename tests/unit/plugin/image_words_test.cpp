// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/image_words.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace e2qcow::plugin {
namespace {

TEST(ImageWords, AreNamesOfImages) {
  const TempDir directory;
  const std::string image = directory.file("image");
  write_text(image, std::string("QFI\xfb") + std::string(100, '\0'));
  write_text(directory.file("text"), "text");
  EXPECT_EQ(find_image({"-f", directory.file("text"), directory.file("missing"), "", "/dev"}), std::nullopt);
  EXPECT_EQ(find_image({"-f", image}), image);
  EXPECT_EQ(find_image({image + "?offset=1024"}), image);
  EXPECT_EQ(find_image({image + "?"}), image);
}

}  // namespace
}  // namespace e2qcow::plugin
