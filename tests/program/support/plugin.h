// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {

// Tests with programs that run on a raw disk and on images of it, under `e2qcow exec`. The disk is disk.img
// in the directory "raw"; the image has the same name in "image", so that what programs print is the same.
class PluginTest : public FileSystemTest {
 protected:
  void SetUp() override;

  // How images are made: a name, then words; {raw} and {image} stand for the files.
  struct Kind {
    const char* name;
    Words maker;
  };
  static const std::vector<Kind>& kinds();

  // Moves disk.img to its place and makes an image of the kind.
  void make_image(const Kind& kind = kinds().front()) const;

  Outcome on_raw(const Words& words) const;
  // With options of `e2qcow exec`.
  Outcome on_image(const Words& words, const Words& options = {}, const Words& environment = {}) const;

  // Status and output are the same; on standard error there may be more: what `exec` itself says. The image
  // stays as it was. The raw disk is restored afterwards.
  void expect_same(const Words& words) const;
  // The same for a program that changes the disk, and the disk it leaves is the same to e2fsck and, but for
  // the count of what was ever written, dumpe2fs.
  void expect_same_changes(const Words& words) const;

 private:
  void expect_same_disk(const Words& words) const;
};

// The lines of `exec` itself.
inline constexpr const char* kOurLines = "e2qcow: ";
std::string without_our_lines(const std::string& text);

}  // namespace e2qcow::test
