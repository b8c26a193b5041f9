// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <string>

#include "tests/support/hand_made_image.h"
#include "tests/support/temp_dir.h"

namespace e2qcow::work {

inline std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An image with one cluster of data, made without any code of ours.
inline HandMadeImage small_image() {
  HandMadeImage image;
  image.add_data(3, 0x55);
  return image;
}

// The same on top of a backing file that it calls "base", and says no format of.
inline HandMadeImage small_overlay() {
  HandMadeImage image = small_image();
  set_field(image.bytes, field::kBackingOffset, 300);
  set_field(image.bytes, field::kBackingSize, 4);
  std::ranges::copy(text_bytes("base"), image.bytes.begin() + 300);
  return image;
}

// What the image's disk reads as, without the overlay's backing file.
inline std::string small_disk() {
  std::string disk(HandMadeImage::kDiskSize, '\0');
  disk.replace(3 * HandMadeImage::kCluster, HandMadeImage::kCluster, HandMadeImage::kCluster, '\x55');
  return disk;
}

// Files that a test makes.
struct WorkFiles {
  std::string write(const std::string& name, const std::string& text) const {
    write_text(directory.file(name), text);
    return directory.file(name);
  }
  std::string write(const std::string& name, const HandMadeImage& image) const {
    return write(name, text_of(image.bytes));
  }
  std::string path(const std::string& name) const { return directory.file(name); }

  TempDir directory;
};

}  // namespace e2qcow::work
