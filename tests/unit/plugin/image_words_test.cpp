// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/image_words.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace e2qcow::plugin {
namespace {

void write_image(const std::string& path) {
  write_text(path, std::string("QFI\xfb") + std::string(100, '\0'));
}

TEST(ImageWords, AreNamesOfImages) {
  const TempDir directory;
  const std::string image = directory.file("image");
  write_image(image);
  write_text(directory.file("text"), "text");
  EXPECT_EQ(find_image({"-f", directory.file("text"), directory.file("missing"), "", "/dev"}), std::nullopt);
  EXPECT_EQ(find_image({"-f", image}), image);
  EXPECT_EQ(find_image({image + "?offset=1024"}), image);
  EXPECT_EQ(find_image({image + "?"}), image);
}

TEST(ImageWords, NameImagesInside) {
  const TempDir directory;
  const std::string a = directory.file("a");
  const std::string b = directory.file("b");
  for (const std::string& image : {a, b, directory.file("with a space")}) write_image(image);
  using Names = std::vector<std::string>;
  EXPECT_EQ(named_images({a, "-x", b}), (Names{a, b}));
  EXPECT_EQ(named_images({"-c", "e2fsck -n '" + a + "'; (cat<" + b + ")"}), (Names{a, b}));
  EXPECT_EQ(named_images({"of=" + a, "-o=x," + b + "?offset=1"}), (Names{a, b}));
  EXPECT_EQ(named_images({directory.file("with a space")}), Names{directory.file("with a space")});
  EXPECT_EQ(named_images({"", " ", "=", a + "x", directory.path()}), Names{});
}

}  // namespace
}  // namespace e2qcow::plugin
