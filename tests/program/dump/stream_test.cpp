// SPDX-License-Identifier: GPL-2.0-or-later
// Compressed images that go to standard output, and how large an image may become.
#include <nlohmann/json.hpp>

#include "tests/program/support/block_devices.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Stream : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({.size = "64M"});
    // Data that compression makes no smaller, between some that it does.
    output_of({"sh", "-c", "head -c 20M /dev/urandom >random"});
    output_of({"debugfs", "-w", "-R", "write random /random", "disk.img"});
  }
  // The image goes through a pipe to image.qcow2.
  Outcome dump_to_pipe(const Words& options, const Words& environment = {}) const {
    Words words{"bash", "-c", "set -o pipefail; \"$0\" dump \"$@\" disk.img - | cat >image.qcow2",
                E2QCOW_PROGRAM};
    words.insert(words.end(), options.begin(), options.end());
    return run(words, environment);
  }
  json measured(const Words& options) const {
    Words words{E2QCOW_PROGRAM, "measure", "--json", "disk.img"};
    words.insert(words.end(), options.begin(), options.end());
    return json::parse(output_of(words));
  }
};

TEST_F(Stream, IsTheSameHoweverItIsSpooled) {
  for (const char* compress : {"--compress=zstd", "--compress=zlib"})
    for (const char* kind : {"--all", "--retries=1"}) {
      EXPECT_EQ(e2qcow({"dump", "-q", compress, kind, "--digest=none", "disk.img", "file.qcow2"}).status, 0);
      for (const char* spool : {"--spool=auto", "--spool=none"}) {
        for (const char* threads : {"--threads=1", "--threads=5"}) {
          const Outcome outcome = dump_to_pipe({"-q", compress, kind, "--digest=none", spool, threads});
          EXPECT_EQ(outcome, (Outcome{0, "", ""}));
          expect_same_bytes("image.qcow2", "file.qcow2");
        }
      }
    }
  expect_qemu_finds_nothing("image.qcow2");
}

// The disk gives other bytes the second time.
TEST_F(Stream, MadeTwiceLacksItsEndIfTheDiskChangesBetween) {
  const std::string flip = "FAULTY_FLIP=" + std::to_string(first_block_of("/large") * block_size() + 7);
  const Words changing = faulty({"FAULTY_FILE=" + path("disk.img").string(), flip});
  expect_failure(
      dump_to_pipe({"-q", "--all", "--spool=none"}, changing),
      {"disk.img: changed between the two times that it was read", "standard output is incomplete"}, 4);
  EXPECT_EQ(e2qcow({"restore", "-q", "image.qcow2", "disk.raw"}).status, 1);
  EXPECT_EQ(run({"sh", "-c", "\"$0\" restore -q - disk.raw <image.qcow2", E2QCOW_PROGRAM}).status, 1);
  EXPECT_FALSE(fs::exists(path("disk.raw")));
  EXPECT_EQ(dump_to_pipe({"-q", "--all", "--spool=auto"}, changing).status, 0);
}

TEST_F(Stream, TheReaderThatEndsIsAnErrorThatMayPass) {
  const Outcome outcome =
      run({"bash", "-c", "\"$0\" dump -q disk.img - | true; echo ${PIPESTATUS[0]}", E2QCOW_PROGRAM});
  EXPECT_EQ(outcome.out, "4\n") << outcome;
}

TEST_F(Stream, IsNeverLargerThanMeasured) {
  for (const char* kind : {"--all", "--retries=1"}) {
    const json measure = measured({kind});
    EXPECT_EQ(dump_to_pipe({"-q", kind, "--compress=none"}).status, 0);
    EXPECT_EQ(measure["image-bound-bytes"], fs::file_size(path("image.qcow2"))) << kind;
    EXPECT_EQ(dump_to_pipe({"-q", kind}).status, 0);
    EXPECT_GE(measure["estimate"]["image-bound-bytes"], fs::file_size(path("image.qcow2"))) << kind;
  }
  EXPECT_EQ(measured({"--compress=zstd"})["image-bound-bytes"],
            measured({})["estimate"]["image-bound-bytes"]);
}

class SpoolOnAFullDisk : public BlockDeviceTest {};

// More than the memory takes: the rest would go to TMPDIR.
TEST_F(SpoolOnAFullDisk, IsAnErrorThatMayPassAndLeavesNothing) {
  const std::string small = mount_small_tmpfs("1m");
  fs::resize_file(path("disk.img"), 400 << 20);
  output_of({"sh", "-c", "resize2fs disk.img 2>&1; head -c 300M /dev/urandom >random"});
  output_of({"debugfs", "-w", "-R", "write random /random", "disk.img"});
  const Words words{"sh", "-c", "exec \"$0\" dump -q --all disk.img - >image.qcow2", E2QCOW_PROGRAM};
  expect_failure(run(words, {"TMPDIR=" + small}), {"temporary file in " + small, "No space left on device"},
                 4);
  EXPECT_EQ(fs::file_size(path("image.qcow2")), 0);
  EXPECT_EQ(names_in(small), Words{});
  EXPECT_EQ(
      run({"sh", "-c", "exec \"$0\" dump -q --all --spool=none disk.img - >image.qcow2", E2QCOW_PROGRAM},
          {"TMPDIR=" + small}),
      (Outcome{0, "", ""}));
  expect_qemu_finds_nothing("image.qcow2");
}

}  // namespace
}  // namespace e2qcow::test
