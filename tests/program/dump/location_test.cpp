// SPDX-License-Identifier: GPL-2.0-or-later
// The offset of the file system in the device, and of its superblock.
#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1 << 20;

class Location : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make_file_system({{"-t", "ext4", "-b", "1024"}});
  }

  // whole.img, with other contents around disk.img.
  void put_into_whole(std::uint64_t offset, std::uint64_t whole_size) const {
    if (!fs::exists(path("whole.img"))) write_file(path("whole.img"), std::string(whole_size, 'x'));
    patch_file(path("whole.img"), offset, read_file(path("disk.img")));
  }

  void partition(const std::string& script) const {
    write_file(path("script"), script);
    output_of({"sh", "-c", "sfdisk -q --no-reread --no-tell-kernel whole.img <script"});
  }

  void expect_dump_is_of_disk(Words options) const {
    options.insert(options.begin(), {"dump", "--all", "whole.img", "image.qcow2"});
    const Outcome dump = e2qcow(options);
    EXPECT_EQ(dump.status, 0) << dump;
    expect_restored_as_by_qemu("image.qcow2", "ours.raw");
    expect_same_metadata("ours.raw");
    expect_same_blocks_in_use("ours.raw");
  }
};

TEST_F(Location, OffsetIsTheBeginningOfTheFileSystem) {
  put_into_whole(kMiB + 512, 34 * kMiB);
  fs::resize_file(path("whole.img"), 33 * kMiB + 512);
  expect_dump_is_of_disk({"--offset=1049088"});
}

TEST_F(Location, OffsetMayHaveAUnit) {
  put_into_whole(3 * kMiB, 35 * kMiB);
  expect_dump_is_of_disk({"--offset=3M"});
}

TEST_F(Location, AnOffsetPastTheEndIsAnError) {
  expect_failure(e2qcow({"dump", "--offset=1G", "disk.img", "image.qcow2"}),
                 {"disk.img", "33554432", "1073741824"});
}

TEST_F(Location, AnOffsetWithoutAFileSystemIsAnError) {
  expect_failure(e2qcow({"dump", "--offset=20M", "disk.img", "image.qcow2"}),
                 {"disk.img", "no ext2/3/4 file system"});
}

TEST_F(Location, APrimaryPartitionIsFound) {
  require_program("sfdisk");
  if (IsSkipped()) return;
  put_into_whole(4 * kMiB, 40 * kMiB);
  partition("label: dos\nstart=2048, size=2048\nstart=8192, size=65536\n");
  expect_dump_is_of_disk({"--partition=2"});
}

TEST_F(Location, ALogicalPartitionIsFound) {
  require_program("sfdisk");
  if (IsSkipped()) return;
  put_into_whole(6 * kMiB, 40 * kMiB);
  partition(
      "label: dos\nstart=2048, size=2048\nstart=4096, type=5\nstart=6144, size=2048\nstart=12288, "
      "size=65536\n");
  expect_dump_is_of_disk({"--partition=6"});
}

TEST_F(Location, AGptPartitionIsFound) {
  require_program("sfdisk");
  if (IsSkipped()) return;
  put_into_whole(4 * kMiB, 40 * kMiB);
  partition("label: gpt\nstart=2048, size=2048\n7: start=8192, size=65536\n");
  expect_dump_is_of_disk({"--partition=7"});
}

TEST_F(Location, ADifferenceIsOneOfTheWholeDisk) {
  put_into_whole(4 * kMiB, 48 * kMiB);
  const std::uint64_t flipped = 4 * kMiB + first_block_of("/large") * block_size() + 7;
  const Outcome outcome =
      e2qcow({"dump", "-q", "--verify", "--all", "--offset=4M", "whole.img", "image.qcow2"},
             faulty({"FAULTY_FILE=" + path("whole.img").string(), "FAULTY_FLIP=" + std::to_string(flipped)}));
  EXPECT_EQ(outcome.status, 1) << outcome;
  EXPECT_NE(outcome.err.find("differs from whole.img at " + std::to_string(flipped)), std::string::npos)
      << outcome;
}

TEST_F(Location, TwoThingsThatAreRecognisedAreNoExtFileSystem) {
  require_program("mkswap");
  if (IsSkipped()) return;
  write_file(path("ghost"), std::string(64 << 20, '\0'));
  output_of({"mke2fs", "-q", "-F", "-b", "1024", "ghost"});
  patch_file(path("ghost"), 0, std::string(64 << 10, '\0'));
  output_of({"mkswap", "-q", "ghost"});
  patch_file(path("ghost"), 65536 + 64, "_BHRfS_M");
  expect_failure(e2qcow({"dump", "ghost", "image.qcow2"}), {"swap", "btrfs", "of an older", "block 8193"});
}

TEST_F(Location, APartitionThatDoesNotExistIsAnError) {
  require_program("sfdisk");
  if (IsSkipped()) return;
  put_into_whole(4 * kMiB, 40 * kMiB);
  partition("label: gpt\nstart=8192, size=65536\n");
  expect_failure(e2qcow({"dump", "--partition=3", "whole.img", "image.qcow2"}),
                 {"whole.img", "no partition 3"});
}

TEST_F(Location, ADiskWithoutPartitionTableIsAnError) {
  expect_failure(e2qcow({"dump", "--partition=1", "disk.img", "image.qcow2"}),
                 {"disk.img", "no partition table"});
}

TEST_F(Location, APartitionOfADiskThatWasCutShortIsDumpedAsFarAsItIsThere) {
  require_program("sfdisk");
  if (IsSkipped()) return;
  put_into_whole(4 * kMiB, 40 * kMiB);
  partition("label: dos\nstart=8192, size=65536\n");
  fs::resize_file(path("whole.img"), 20 * kMiB);
  for (const char* where : {"--partition=1", "--offset=4M"}) {
    const Outcome dump = e2qcow({"dump", "-q", where, "whole.img", "image.qcow2"});
    EXPECT_EQ(dump.status, 3) << dump;
    EXPECT_NE(dump.err.find("device shorter than its file system"), std::string::npos) << dump;
  }
}

class Superblock : public Location {
 protected:
  void destroy_primary() const { patch_file(path("disk.img"), 1024, std::string(1024, '\xff')); }
};

TEST_F(Superblock, ABackupIsUsedWhenThePrimaryIsDestroyedAndItIsSaid) {
  destroy_primary();
  const Outcome dump = e2qcow({"dump", "disk.img", "image.qcow2"});
  EXPECT_EQ(dump.status, 3) << dump;
  EXPECT_NE(dump.err.find("backup superblock"), std::string::npos) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_metadata("ours.raw");
  EXPECT_EQ(output_of({"debugfs", "-s", "8193", "-b", "1024", "-R", "ls -l /many", "ours.raw"}),
            output_of({"debugfs", "-s", "8193", "-b", "1024", "-R", "ls -l /many", "disk.img"}));
}

TEST_F(Superblock, TheChosenCopyIsUsedAsByE2fsck) {
  destroy_primary();
  const Outcome dump = e2qcow({"dump", "--all", "-b", "24577", "-B", "1024", "disk.img", "image.qcow2"});
  EXPECT_EQ(dump.status, 3) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  fs::rename(path("disk.img"), path("theirs.raw"));
  const auto look = [&](const char* name) {
    fs::rename(path(name), path("disk.img"));
    Outcome outcome = run({"e2fsck", "-fn", "-b", "24577", "-B", "1024", "disk.img"});
    fs::rename(path("disk.img"), path(name));
    return outcome;
  };
  EXPECT_EQ(look("ours.raw"), look("theirs.raw"));
}

TEST_F(Superblock, ThePlaceOfTheCopyIsEnoughWithoutABlockSize) {
  EXPECT_EQ(e2qcow({"dump", "-b", "8193", "disk.img", "image.qcow2"}).status,
            0);  // no finding: it was wanted
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_metadata("ours.raw");
}

TEST_F(Superblock, AChosenBlockWithoutACopyIsAnError) {
  expect_failure(e2qcow({"dump", "-b", "5000", "-B", "1024", "disk.img", "image.qcow2"}),
                 {"disk.img", "no ext2/3/4 superblock", "5000"});
}

}  // namespace
}  // namespace e2qcow::test
