// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/program/support/support.h"

namespace e2qcow::test {

// Files of testdata/, which other programs or older versions of ours have made: neither QEMU nor e2fsprogs is
// needed.
class FrozenTest : public IntegrationTest {
 protected:
  void SetUp() override;

  // Copies the files of a directory under testdata/ here, without the .xz of those that have one.
  void unpack(const std::string& directory) const;
  // The names of the unpacked files that end so, without the ending.
  Words names_ending_in(const std::string& ending) const;
  nlohmann::json json_of(const Words& words) const;
  std::string sha256_of(const std::string& file) const;

  // The image NAME.qcow2 is without fault, and holds the disk of that SHA-256.
  void expect_holds(const std::string& name, const std::string& sha256) const;
};

// Of a file with lines as sha256sum prints them: what each name has.
std::map<std::string, std::string> sha256_of_names(const std::string& text);

}  // namespace e2qcow::test
