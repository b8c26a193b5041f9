// SPDX-License-Identifier: GPL-2.0-or-later
// Programs of e2fsprogs on images, as `e2qcow exec` runs them: what they print and return is what they do on
// the raw disk.
#include "tests/program/support/e2image.h"
#include "tests/program/support/plugin.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

const char* const kLook = R"(ls -l /
ls -l /small
stat /large
stat /with-holes
cat /small/file3
dump /small/file5 dumped
rdump /small .
logdump -a
icheck 100 200 300 400
ncheck 2 11 12 13 14
dump_mmp
stats
)";

// Programs that read, or are asked not to write.
std::vector<Words> readers() {
  return {{"dumpe2fs", "disk.img"},
          {"dumpe2fs", "-h", "disk.img"},
          {"e2fsck", "-fn", "disk.img"},
          {"tune2fs", "-l", "disk.img"},
          {"e2freefrag", "disk.img"},
          {"resize2fs", "-P", "disk.img"},
          {"e2fsck", "-n", "disk.img"},
          {"debugfs", "-R", "ls", "disk.img"},
          {"e2image", "-Qa", "disk.img", "out"},
          {"e2image", "-ra", "disk.img", "out"}};
}

std::vector<Words> writers() {
  return {{"e2fsck", "-fy", "disk.img"},
          {"e2fsck", "-p", "disk.img"},
          {"tune2fs", "-L", "another", "-c", "17", "disk.img"},
          {"tune2fs", "-O", "^has_journal", "disk.img"},
          {"resize2fs", "-M", "disk.img"},
          {"resize2fs", "disk.img", "24M"},
          {"debugfs", "-w", "-R", "rm /small/file7", "disk.img"},
          {"debugfs", "-w", "-R", "mkdir /made", "disk.img"}};
}

class Plugin : public PluginTest {
 protected:
  void expect_same_looks() const {
    write_file(path("look"), kLook);
    expect_same({"debugfs", "-f", path("look"), "disk.img"});
    output_of({"diff", "-r", "-x", "disk.img", "-x", "overlay", "raw", "image"});  // what it took out
  }
};

TEST_F(Plugin, ReadersSeeTheRawDiskInEveryKindOfImage) {
  make_file_system();
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    make_image(kind);
    for (const Words& words : readers()) expect_same(words);
    expect_same_looks();
  }
}

TEST_F(Plugin, WritersDoTheSameToEveryKindOfImage) {
  make_file_system();
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    make_image(kind);
    for (const Words& words : writers()) expect_same_changes(words);
  }
}

TEST_F(Plugin, SmallBlocksAndNoExtentsAreNoDifference) {
  make_file_system({{"-t", "ext2", "-b", "1024"}});
  make_image();
  for (const Words& words : readers()) expect_same(words);
  for (const Words& words : writers()) expect_same_changes(words);
}

// Two groups without a bitmap, files on each other's blocks, a directory without its first block, a bad
// count.
TEST_F(Plugin, DamagedFileSystemsAreRepairedInTheSameWay) {
  make_file_system();
  debugfs_write({"clri /many", "freeb 100 400", "set_inode_field /small/file9 links_count 7",
                 "set_inode_field /small/file11 block[2] 4711", "set_super_value free_blocks_count 3",
                 "set_block_group 0 bg_used_dirs_count 999", "set_super_value state 0"});
  patch_file(path("disk.img"), first_block_of("/small") * block_size() + 40, std::string(500, '\xa5'));
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    make_image(kind);
    for (const Words& words : readers()) expect_same(words);
    for (const Words& words : writers()) expect_same_changes(words);
    EXPECT_NE(on_image({"e2fsck", "-fn", "disk.img"}).status & 4, 0);  // there is something to repair
  }
}

TEST_F(Plugin, BackupsOfTheSuperblockAreFound) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  patch_file(path("disk.img"), 1024, std::string(1024, '\0'));
  make_image(kinds()[3]);  // qemu-img makes images of anything
  expect_same({"dumpe2fs", "disk.img"});
  expect_same({"e2fsck", "-fn", "disk.img"});
  expect_same_changes({"e2fsck", "-fy", "disk.img"});
  expect_same_changes({"e2fsck", "-fy", "-b", "8193", "disk.img"});
}

TEST_F(Plugin, AJournalIsReplayedAndTheFileSystemOpenedAgain) {
  make_file_system();
  debugfs_write({"jo", "jw -b 500 /dev/zero", "jc"});
  make_image();
  ASSERT_NE(on_raw({"dumpe2fs", "-h", "disk.img"}).out.find("needs_recovery"), std::string::npos);
  expect_same({"e2fsck", "-fn", "disk.img"});
  expect_same_changes({"e2fsck", "-fy", "disk.img"});
  expect_same_changes({"e2fsck", "-p", "disk.img"});
  expect_same({"e2fsck", "-fy", "disk.img"});
}

// The block is read past the io_manager.
TEST_F(Plugin, MultipleMountProtectionIsReadFromTheDisk) {
  output_of({"mke2fs", "-q", "-F", "-t", "ext4", "-O", "mmp", "disk.img", "16M"});
  make_image();
  const Words words{"debugfs", "-R", "dump_mmp", "disk.img"};  // e2fsck would wait, and so would the test
  expect_same(words);
  EXPECT_NE(on_image(words).out.find("magic: 0x4d4d50"), std::string::npos) << on_image(words);
}

TEST_F(Plugin, FileSystemsAtAnOffsetAreFound) {
  make_file_system();
  output_of({"truncate", "-s", "1M", "padded"});
  output_of({"dd", "status=none", "conv=notrunc", "oflag=append", "if=disk.img", "of=padded"});
  fs::rename(path("padded"), path("disk.img"));
  make_image(kinds()[3]);
  expect_same({"e2fsck", "-fn", "disk.img?offset=1048576"});
  expect_same({"dumpe2fs", "disk.img?offset=1048576"});
  expect_same({"dumpe2fs", "disk.img"});
  expect_same_changes({"tune2fs", "-L", "inside", "disk.img?offset=1048576"});
}

// Programs that find none say so with the help of libblkid.
TEST_F(Plugin, OtherContentsOfTheDiskAreReported) {
  for (const char* program : {"mkswap", "sfdisk"}) require_program(program);
  if (IsSkipped() || HasFatalFailure()) return;
  make_file_system();
  fs::rename(path("disk.img"), path("with-files.img"));
  for (const char* maker : {"mkswap -L hints disk.img", "echo 2048 | sfdisk -q -X gpt disk.img", "true"}) {
    SCOPED_TRACE(maker);
    write_file(path("disk.img"), "");
    fs::resize_file(path("disk.img"), 32 << 20);
    output_of({"sh", "-c", maker});
    make_image(kinds()[3]);
    expect_same({"e2fsck", "-fn", "disk.img"});
    expect_same({"dumpe2fs", "disk.img"});
    expect_same({"tune2fs", "-l", "disk.img"});
  }
  fs::rename(path("with-files.img"), path("disk.img"));
  make_image();
  const Words wrong_place{"dumpe2fs", "-o", "superblock=9000", "-o", "blocksize=1024", "disk.img"};
  expect_same(wrong_place);
  EXPECT_NE(on_image(wrong_place).out.find("contains a ext4 file system"), std::string::npos);
}

// It is run by e2fsck, and reads and writes the file itself, in which the disk's blocks are elsewhere.
TEST_F(Plugin, BadblocksTestsNoImageInTheDisksPlace) {
  require_program("badblocks");
  if (IsSkipped()) return;
  make_file_system();
  make_image();
  const std::string before = read_file(path("image/disk.img"));
  for (const char* option : {"-fcy", "-fccy"}) {
    Outcome raw = on_raw({"e2fsck", option, "disk.img"});
    Outcome image = on_image({"e2fsck", option, "disk.img"});
    EXPECT_NE(image.err.find("e2qcow: disk.img: badblocks would test the image"), std::string::npos);
    raw.err = image.err = "";  // badblocks shows its progress there
    EXPECT_EQ(first_difference(image, raw), "") << option;
    copy_disk(path("original"), path("raw/disk.img"));
  }
  EXPECT_EQ(on_image({"badblocks", "-w", "disk.img"}).status, 1);
  EXPECT_TRUE(read_file(path("image/disk.img")) == before);
  EXPECT_EQ(on_image({"badblocks", "../original"}).status, 0);
}

TEST_F(Plugin, AFileSystemGrowsNoLongerThanItsDisk) {
  make_file_system();
  make_image();
  const std::string before = read_file(path("image/disk.img"));
  const Outcome outcome = on_image({"resize2fs", "disk.img", "64M"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("The containing partition (or device) is only"), std::string::npos) << outcome;
  EXPECT_TRUE(read_file(path("image/disk.img")) == before);
}

TEST_F(Plugin, AMetadataImageIsCheckedAsTheDisk) {
  make_file_system();
  make_image({"metadata", {E2QCOW_PROGRAM, "dump", "-q", "{raw}", "{image}"}});
  copy_disk(path("disk.img"), path("original"));
  copy_disk(path("disk.img"), path("raw/disk.img"));
  for (const Words& words : {Words{"e2fsck", "-fn", "disk.img"}, Words{"dumpe2fs", "disk.img"},
                             Words{"debugfs", "-R", "ls -l /small", "disk.img"}})
    expect_same(words);
}

TEST_F(Plugin, ASmallCacheIsEnough) {
  make_file_system();
  make_image();
  const Outcome raw = on_raw({"e2fsck", "-fn", "disk.img"});
  EXPECT_EQ(on_image({"e2fsck", "-fn", "disk.img"}, {"--cache-size", "1M"}), raw);
  EXPECT_EQ(on_image({"true"}, {"--cache-size", "1k"}).status, 2);
}

TEST_F(Plugin, OtherFilesAreOpenedAsAlways) {
  make_file_system();
  fs::create_directories(path("image"));
  copy_disk(path("disk.img"), path("image/disk.img"));
  EXPECT_EQ(on_image({"e2fsck", "-fn", "disk.img"}).status, 0);
  EXPECT_EQ(on_image({"tune2fs", "-L", "direct", "disk.img"}).err.find(kOurLines), std::string::npos);
  EXPECT_NE(on_image({"dumpe2fs", "-h", "disk.img"}).out.find("direct"), std::string::npos);
  EXPECT_EQ(on_image({"resize2fs", "-M", "disk.img"}).status, 0);
  EXPECT_LT(fs::file_size(path("image/disk.img")), 32U << 20);
}

#ifndef E2QCOW_SANITIZED
TEST_F(Plugin, OurE2imageReadsTheDisk) {
  make_file_system();
  make_image();
  for (const char* option : {"-Q", "-Qa", "-r", "-ra"}) {
    EXPECT_EQ(on_image({E2IMAGE_PROGRAM, option, "disk.img", "../ours"}).status, 0) << option;
    EXPECT_EQ(on_raw({E2IMAGE_PROGRAM, option, "disk.img", "../of-raw"}).status, 0) << option;
    expect_same_bytes("ours", "of-raw");
    for (const char* name : {"ours", "of-raw"}) fs::remove(path(name));
  }
  write_file(path("image/damaged"), read_file(path("image/disk.img")).substr(0, 3000));
  Outcome damaged = on_image({E2IMAGE_PROGRAM, "-Q", "damaged", "../ours"});
  damaged.err = replaced(damaged.err, E2IMAGE_PROGRAM, "e2image");
  EXPECT_EQ(damaged, on_image({"e2image", "-Q", "damaged", "../theirs"}));
  const std::string before = read_file(path("image/disk.img"));
  const Outcome moved = on_image({E2IMAGE_PROGRAM, "-ra", "-O", "1048576", "disk.img"});
  EXPECT_EQ(moved.status, 1);
  EXPECT_NE(moved.err.find("cannot be moved in an image"), std::string::npos) << moved;
  EXPECT_TRUE(read_file(path("image/disk.img")) == before);
}
#endif

TEST_F(Plugin, CProgramsUseTheIoManager) {
  make_file_system({{"-t", "ext4", "-L", "first"}});
  make_image();
  const std::string blocks = ": " + header_field("Block count") + " blocks\n";
  EXPECT_EQ(output_of({PLUGIN_EXAMPLE, "image/disk.img"}), "first" + blocks);
  EXPECT_EQ(output_of({PLUGIN_EXAMPLE, "image/disk.img", "overlay", "second"}), "second" + blocks);
  EXPECT_EQ(output_of({PLUGIN_EXAMPLE, "image/disk.img"}), "first" + blocks);
  expect_qemu_finds_nothing("overlay");
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "overlay", "raw-overlay"});
  EXPECT_NE(output_of({"dumpe2fs", "-h", "raw-overlay"}).find("second"), std::string::npos);
  EXPECT_EQ(run({PLUGIN_EXAMPLE, "raw/disk.img"}).err,
            "example: not a qcow2 image while working on raw/disk.img (raw/disk.img: not a qcow2 image; "
            "it holds ext4 labelled 'first')\n");
  EXPECT_EQ(run({PLUGIN_EXAMPLE, "missing"}).err,
            "example: No such file or directory while working on missing "
            "(missing: open: No such file or directory)\n");
  write_file(path("text"), std::string(5000, 'x'));
  const Outcome other = run({PLUGIN_EXAMPLE, "text"});
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.err, "example: not a qcow2 image while working on text (text: not a qcow2 image)\n");
}

// The remedy of a C program is e2qcow_add_backing(), not an option of ours.
TEST_F(Plugin, CProgramsAreToldTheFactAndNoOption) {
  output_of({"qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "base", "-F", "raw", "overlay", "1M"});
  const Outcome outcome = run({PLUGIN_EXAMPLE, "overlay"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            "example: needs a backing file while working on overlay "
            "(overlay: needs a backing file ('base'))\n");
}

}  // namespace
}  // namespace e2qcow::test
