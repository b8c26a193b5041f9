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

// Nothing is stored in them, and a disk that has them takes long to say so.
TEST_F(SpecialDisks, BlocksThatAreListedAsBadAreNotRead) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const std::string free_block = output_of({"debugfs", "-R", "ffb 1 20000", "disk.img"});
  const std::uint64_t bad = std::stoull(free_block.substr(free_block.find(':') + 1));
  write_file(path("list"), std::to_string(bad) + "\n");
  EXPECT_LE(run({"e2fsck", "-fy", "-l", "list", "disk.img"}).status, 1);
  ASSERT_NE(output_of({"debugfs", "-R", "testb " + std::to_string(bad), "disk.img"}).find("marked in use"),
            std::string::npos);
  const Words faults{"FAULTY_FILE=" + path("disk.img").string(),
                     "FAULTY_RANGES=" + std::to_string(bad * 1024) + ":1024"};
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"}, faulty(faults)), (Outcome{0, "", ""}));
  EXPECT_EQ(e2qcow({"restore", "-q", "image.qcow2", "ours.raw"}).status, 0);
  expect_checked_alike("ours.raw", {"-fn"});
}

// An inode of the Hurd may have a block with the program that serves it.
TEST_F(SpecialDisks, TranslatorsAreKept) {
  make_file_system({{"-t", "ext2", "-o", "hurd", "-b", "1024"}});
  debugfs_write(
      {"setb 20000 1", "setb 20001 1", "sif /many translator 20000", "sif /large translator 20001"});
  patch_file(path("disk.img"), 20000 * 1024, "/hurd/firmlink /many");
  patch_file(path("disk.img"), 20001 * 1024, "/hurd/firmlink /large");
  for (const Words& image : {Words{E2QCOW_PROGRAM, "dump", "-q", "disk.img", "image.qcow2"},
                             Words{E2IMAGE_PROGRAM, "-Q", "disk.img", "image.qcow2"}}) {
    output_of(image);
    output_of({E2QCOW_PROGRAM, "restore", "-q", "image.qcow2", "ours.raw"});
    EXPECT_EQ(read_bytes(path("ours.raw"), 20000 * 1024, 20), "/hurd/firmlink /many");
    EXPECT_EQ(read_bytes(path("ours.raw"), 20001 * 1024, 21), "/hurd/firmlink /large");
    fs::remove(path("image.qcow2"));
  }
  for (const char* option : {"-Q", "-r"}) {  // -a takes more than the original, see e2image_compat/README.md
    output_of({"e2image", option, "disk.img", "theirs"});
    output_of({E2IMAGE_PROGRAM, option, "disk.img", "ours"});
    expect_same_bytes("ours", "theirs");
    for (const char* name : {"ours", "theirs"}) fs::remove(path(name));
  }
}

// A descriptor says that the rest of its inode table was never used. The file system was made over another
// one, and something names an inode that is still there.
struct Naming {
  std::string name;
  std::string features;
  Words commands;  // of debugfs
};
std::ostream& operator<<(std::ostream& out, const Naming& naming) {
  return out << naming.name;
}

Words values_in_inodes(const std::string& last = "") {
  Words commands;
  for (int i = 1; i <= 6; ++i)
    commands.push_back("ea_set -f values/" + std::to_string(i) + " / user." + std::to_string(i));
  for (const char* command : {"set_bg 0 itable_unused 1013", "set_bg 0 checksum calc"})
    commands.emplace_back(command);
  commands.push_back(last);
  return commands;
}

class NamedInodesTest : public SpecialDisks, public ::testing::WithParamInterface<Naming> {
 protected:
  static constexpr const char* kUuid = "0a1b2c3d-0102-4304-8506-a0b0c0d0e0f0";

  void make_over_another(const std::string& features) const {
    output_of({"sh", "-c", "mkdir -p tree/sub; for i in $(seq 900); do echo $i >tree/sub/$i; done"});
    for (const Words& more : {Words{"-d", "tree"}, Words{"-E", "lazy_itable_init=1,nodiscard"}}) {
      Words words{"mke2fs", "-q",   "-F", "-t",  "ext4", "-b",    "1024",
                  "-N",     "8192", "-U", kUuid, "-O",   features};
      words.insert(words.end(), more.begin(), more.end());
      words.insert(words.end(), {"disk.img", "64M"});
      output_of(words);
    }
  }
};

TEST_P(NamedInodesTest, AreFoundWhereTheirTableIsMarkedAsUnused) {
  make_over_another(GetParam().features);
  fs::create_directory(path("values"));
  for (int i = 1; i <= 6; ++i)
    write_file(path("values/" + std::to_string(i)), std::string(3000, static_cast<char>('0' + i)));
  debugfs_write(GetParam().commands);
  for (const Words& image : {Words{E2QCOW_PROGRAM, "dump", "-q", "disk.img", "image.qcow2"},
                             Words{E2QCOW_PROGRAM, "dump", "-q", "--all", "disk.img", "image.qcow2"},
                             Words{E2IMAGE_PROGRAM, "-Q", "disk.img", "image.qcow2"}}) {
    run(image);
    output_of({E2QCOW_PROGRAM, "restore", "-q", "image.qcow2", "ours.raw"});
    for (const char* how : {"-fn", "-fy"}) expect_checked_alike("ours.raw", {how});
    fs::remove(path("image.qcow2"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    By, NamedInodesTest,
    ::testing::Values(
        Naming{"TheRoot", "^encrypt", {"link <700> /ghost"}},
        Naming{"ADirectory", "^encrypt", {"mkdir /d", "link <700> /d/ghost", "link <2500> /d/far"}},
        Naming{"AnInlineDirectory", "inline_data", {"mkdir /d", "link <700> /d/ghost"}},
        Naming{"TheListOfOrphans", "^encrypt", {"ssv last_orphan 600"}},
        Naming{"TheSuperblock", "^has_journal", {"ssv usr_quota_inum 600", "feature quota"}},
        // The values are in inodes from the 12th on. e2fsck follows with and without the feature.
        Naming{"AnAttribute", "ea_inode", values_in_inodes()},
        Naming{"AnAttributeWithoutItsFeature", "ea_inode", values_in_inodes("feature -ea_inode")}),
    [](const auto& naming) { return naming.param.name; });

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
