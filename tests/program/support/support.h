// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/program/support/files.h"

namespace e2qcow::test {

using Words = std::vector<std::string>;

struct Outcome {
  int status = 0;  // the exit status; 128 + the number of the signal that ended it
  std::string out;
  std::string err;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

// Runs a program to its end in `directory`, with NAME=VALUE pairs added to the environment; 120 seconds at
// most.
Outcome run(const Words& words, const std::filesystem::path& directory, const Words& environment = {});

// Skips the test if the program is not installed; fails it if E2QCOW_CI is set.
void require_program(const std::string& name);

// Options of `dump` for an image that holds clusters as they are on the disk.
Words uncompressed();

// The environment that preloads faulty_reads.c with its settings.
Words faulty(Words settings);

// A directory of its own for each test, removed afterwards. Programs run in it.
class IntegrationTest : public ::testing::Test {
 protected:
  IntegrationTest();
  ~IntegrationTest() override;
  void SetUp() override;

  std::filesystem::path path(const std::string& name) const { return directory_ / name; }
  Outcome run(const Words& words, const Words& environment = {}) const;
  Outcome e2qcow(Words words, const Words& environment = {}) const;

  // Runs a program that is expected to succeed, and returns what it printed.
  std::string output_of(const Words& words) const;

  void expect_same_bytes(const std::string& a, const std::string& b) const;
  void expect_qemu_finds_nothing(const std::string& image) const;
  // Restores an image that must be without fault; QEMU must read the same disk from it.
  void expect_restored_as_by_qemu(const std::string& image, const std::string& target) const;
  // The command fails with one line on standard error that has all the texts in it.
  // One line with these texts.
  void expect_failure(const Outcome& outcome, const Words& texts, int status = 1) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace e2qcow::test
