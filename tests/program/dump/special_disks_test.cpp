// SPDX-License-Identifier: GPL-2.0-or-later
// Disks that are not like most: very large ones, ones with files that are unlinked but not freed, damaged
// ones.
#include <sys/stat.h>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

std::uint64_t allocated_bytes(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

class SpecialDisks : public FileSystemTest {
 protected:
  std::string inode_of(const std::string& file) const {
    const std::string text = output_of({"debugfs", "-R", "stat " + file, "disk.img"});
    return std::to_string(std::stoull(text.substr(text.find("Inode: ") + 7)));
  }
};

TEST_F(SpecialDisks, AFileThatIsUnlinkedButNotFreedIsKept) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const std::string inode = inode_of("/with-holes");
  debugfs_write({"unlink /with-holes", "sif <" + inode + "> links_count 0", "sif <" + inode + "> dtime 0",
                 "ssv last_orphan " + inode});
  EXPECT_NE(run({"e2fsck", "-fn", "disk.img"}).status, 0);
  expect_dumps_are_judged_alike();
  EXPECT_EQ(output_of({"debugfs", "-R", "dump_extents <" + inode + ">", "ours.raw"}),
            output_of({"debugfs", "-R", "dump_extents <" + inode + ">", "disk.img"}));
}

TEST_F(SpecialDisks, ADirectoryThatIsUnlinkedButNotFreedIsKept) {
  make_file_system({{"-t", "ext3", "-b", "1024"}});
  const std::string inode = inode_of("/many");
  debugfs_write({"unlink /many", "sif <" + inode + "> links_count 0", "ssv last_orphan " + inode});
  expect_dumps_are_judged_alike();
  EXPECT_EQ(output_of({"debugfs", "-R", "ls <" + inode + ">", "ours.raw"}),
            output_of({"debugfs", "-R", "ls <" + inode + ">", "disk.img"}));
}

TEST_F(SpecialDisks, AnInodeTableThatWasOverwrittenIsJudgedAlike) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const std::string place = output_of({"debugfs", "-R", "imap /many", "disk.img"});
  const std::string before = "located at block ";
  const std::uint64_t block = std::stoull(place.substr(place.find(before) + before.size()));
  patch_file(path("disk.img"), block * 1024, std::string(1024, '\x5a'));
  expect_dumps_are_judged_alike();
}

TEST_F(SpecialDisks, ADiskOfTwoTerabytesTakesTheSpaceOfItsFiles) {
  make_file_system({{"-t", "ext4", "-N", "200000"}, "2T"});
  const Outcome dump = e2qcow({"dump", "--all", "disk.img", "image.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  expect_qemu_finds_nothing("image.qcow2");
  EXPECT_LT(allocated_bytes(path("image.qcow2")), 32 << 20);
  EXPECT_EQ(e2qcow({"restore", "image.qcow2", "ours.raw"}).status, 0);
  EXPECT_EQ(fs::file_size(path("ours.raw")), std::uint64_t{2} << 40);
  // Free blocks were never written: both are the same everywhere.
  output_of({"qemu-img", "compare", "-f", "raw", "-F", "raw", "disk.img", "ours.raw"});
}

TEST_F(SpecialDisks, ClustersThatAreTooSmallForTheDiskAreAnError) {
  write_file(path("disk.img"), "");
  fs::resize_file(path("disk.img"), std::uint64_t{4} << 40);
  output_of({"mke2fs", "-q", "-F", "-t", "ext4", "-N", "200000", "disk.img"});
  expect_failure(e2qcow({"dump", "--cluster-size=512", "disk.img", "image.qcow2"}),
                 {"image.qcow2: clusters of 512 bytes are too small"});
  EXPECT_FALSE(fs::exists(path("image.qcow2")));
}

}  // namespace
}  // namespace e2qcow::test
