// SPDX-License-Identifier: GPL-2.0-or-later
// restore --changes-only: what is there already is left alone.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/program/support/block_devices.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class ChangesOnly : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({.mke2fs = {"-t", "ext4"}, .size = "24M"});
    EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image"}).status, 0);
    EXPECT_EQ(e2qcow({"restore", "-q", "image", "whole"}).status, 0);
  }
  Outcome update(const Words& environment = {}) const {
    return e2qcow({"restore", "--json", "--changes-only", "image", "target"}, environment);
  }
  static std::string changed(std::uint64_t bytes) {
    return "\"changed-bytes\": " + std::to_string(bytes) + "\n";
  }
};

TEST_F(ChangesOnly, AnEqualTargetIsNotTouched) {
  fs::copy_file(path("whole"), path("target"));
  output_of({"touch", "-d", "2001-01-01", "target"});
  const Outcome outcome = update();
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_NE(outcome.out.find(changed(0)), std::string::npos) << outcome;
  EXPECT_EQ(output_of({"stat", "-c", "%y", "target"}).substr(0, 4), "2001");
}

TEST_F(ChangesOnly, WhatDiffersIsWritten) {
  fs::copy_file(path("whole"), path("target"));
  patch_file(path("target"), 70'000, "other");
  patch_file(path("target"), 20 << 20, "was free");
  const Outcome outcome = update();
  EXPECT_EQ(outcome.status, 0) << outcome;
  // The first 64 KiB are cleared first and written last.
  EXPECT_NE(outcome.out.find(changed(8192 + (64 << 10))), std::string::npos) << outcome;
  expect_same_bytes("target", "whole");
}

// The head is cleared before it is known what of it differs.
TEST_F(ChangesOnly, WhatDiffersInTheHeadAloneIsWritten) {
  for (const std::uint64_t offset : {std::uint64_t{1024 + 52}, std::uint64_t{5000}, std::uint64_t{65535}}) {
    fs::copy_file(path("whole"), path("target"), fs::copy_options::overwrite_existing);
    patch_file(path("target"), offset, "x");
    EXPECT_EQ(update().status, 0);
    expect_same_bytes("target", "whole");
  }
}

TEST_F(ChangesOnly, ATargetIsMadeOrGetsTheRightSize) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{5'000'000}, std::uint64_t{60} << 20}) {
    if (size != 0) write_file(path("target"), std::string(size, 'x'));
    const Outcome outcome = update();
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    expect_same_bytes("target", "whole");
    fs::remove(path("target"));
  }
}

// Whatever was written, the target is no file system in between, and the same command again makes it whole.
TEST_F(ChangesOnly, IsRepeatedAfterAnInterruption) {
  const std::string other(24 << 20, 'x');
  int failures = 0;
  for (int number = 1;; number += 1 + number / 8) {
    write_file(path("target"), other);
    const Outcome outcome = update(faulty({"FAULTY_WRITE=" + std::to_string(number)}));
    if (outcome.status == 0) break;
    ++failures;
    EXPECT_NE(run({"dumpe2fs", "-h", "target"}).status, 0) << "write " << number;
    EXPECT_EQ(update().status, 0);
    expect_same_bytes("target", "whole");
  }
  EXPECT_GT(failures, 3);
}

class ChangesOnlyOnADevice : public BlockDeviceTest {};

TEST_F(ChangesOnlyOnADevice, WhatIsTheSameIsLeftAlone) {
  make_file_system({.mke2fs = {"-t", "ext4"}, .size = "24M"});
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image"}).status, 0);
  EXPECT_EQ(e2qcow({"restore", "-q", "image", "target"}).status, 0);
  fs::copy_file(path("target"), path("whole"));
  patch_file(path("target"), 3 << 20, "other");
  const Outcome outcome = e2qcow({"restore", "--json", "--changes-only", "image", attach("target")});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_NE(outcome.out.find("\"changed-bytes\": 69632"), std::string::npos) << outcome;
  expect_same_bytes("target", "whole");
}

}  // namespace
}  // namespace e2qcow::test
