// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {

// Our e2image beside the installed one.
class E2imageTest : public FileSystemTest {
 protected:
  Outcome ours(Words words, const Words& environment = {}) const;
  Outcome theirs(Words words) const;

  // Both are run with the arguments, in which TARGET stands for a file of their own. They must end with the
  // same status, print the same and leave the same bytes. With Target::existing the file exists before,
  // longer than any disk here.
  enum class Target { is_new, exists };
  void expect_same(const Words& arguments, Target target = Target::is_new) const;

  // The last line of progress, without the time.
  static std::string copied_line(const Outcome& outcome);

  // Zeroes all backups of superblock and descriptors on disk.img, which e2image does not look at.
  void clear_backups() const;

  // Ours -Q or -Qa of disk.img is valid and holds the same disk as `raw`.
  void expect_image_of(const std::string& raw, const Words& options) const;
};

// The text with each occurrence of `from` replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to);

}  // namespace e2qcow::test
