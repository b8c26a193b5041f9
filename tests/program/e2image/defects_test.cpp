// SPDX-License-Identifier: GPL-2.0-or-later
// What e2image gets wrong, one test each; the numbers are those of e2image_compat/README.md.
#include <algorithm>

#include "tests/program/support/e2image.h"
#include "tests/support/random.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class E2imageRestoring : public E2imageTest {
 protected:
  // What QEMU reads is what must come out.
  void expect_restored(const std::string& target = "ours.raw") const {
    const Outcome outcome = ours({"-r", "image.qcow2", target});
    EXPECT_EQ(outcome.status, 0) << outcome;
    output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image.qcow2", "by-qemu.raw"});
    expect_same_bytes(target, "by-qemu.raw");
  }
  void expect_refused(const Words& texts) const {
    const Outcome outcome = ours({"-r", "image.qcow2", "ours.raw"});
    EXPECT_EQ(outcome.status, 1) << outcome;
    for (const std::string& text : texts) EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome;
    EXPECT_FALSE(fs::exists(path("ours.raw")));
  }
  void make_image(const Words& options) const {
    Words words{"qemu-img", "convert", "-f", "raw", "-O", "qcow2"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"disk.img", "image.qcow2"});
    output_of(words);
  }
};

TEST_F(E2imageRestoring, R1TablesPastTheVirtualSizeAreRead) {
  fs::create_directory(path("tree"));
  Random random;
  const Bytes bytes = random.bytes(66'500'000);
  write_file(path("tree/contents"), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  output_of({"mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-N", "16", "-m", "0", "-O",
             "^has_journal,^resize_inode", "-d", "tree", "disk.img", "64M"});
  EXPECT_EQ(ours({"-Qa", "disk.img", "image.qcow2"}).status, 0);
  EXPECT_GT(fs::file_size(path("image.qcow2")), 64 << 20);
  expect_restored();
}

TEST_F(E2imageRestoring, R2AndR3AUsedTargetIsClearedToTheLastByte) {
  make_file_system();
  make_image({"-o", "compat=0.10"});
  write_file(path("ours.raw"), std::string(40 << 20, 'x'));
  expect_restored();
}

TEST_F(E2imageRestoring, R4ToR6TruncatedImagesAreErrors) {
  make_file_system();
  EXPECT_EQ(theirs({"-Q", "disk.img", "image.qcow2"}).status, 0);
  const std::string whole = read_file(path("image.qcow2"));
  for (const std::size_t size : {whole.size() - 4096, whole.size() / 2, std::size_t{5 * 4096},
                                 std::size_t{4096 + 8}, std::size_t{80}}) {
    write_file(path("image.qcow2"), whole.substr(0, size));
    expect_refused({"image.qcow2"});
  }
}

TEST_F(E2imageRestoring, R7AFailedWriteIsAnErrorAndLeavesNothing) {
  make_file_system();
  EXPECT_EQ(theirs({"-Q", "disk.img", "image.qcow2"}).status, 0);
  for (const std::string options : {"-r", "-Q", "-ra"}) {
    const std::string source = options == "-r" ? "image.qcow2" : "disk.img";
    const Outcome outcome = ours({options, source, "ours"}, faulty({"FAULTY_WRITE=2"}));
    EXPECT_EQ(outcome.status, 1) << outcome;
    EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome;
    EXPECT_FALSE(fs::exists(path("ours")));
  }
}

TEST_F(E2imageRestoring, R8CompressedImagesAreRestored) {
  make_file_system();
  make_image({"-c", "-o", "compat=0.10"});
  expect_restored();
  make_image({"-c", "-o", "compression_type=zstd"});
  expect_restored();
}

TEST_F(E2imageRestoring, R9ABackingFileIsNotIgnored) {
  make_file_system();
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "disk.img", "-F", "raw", "image.qcow2"});
  expect_refused({"backing file"});
}

TEST_F(E2imageRestoring, R10TheLastClusterIsCutAtTheEndOfTheDisk) {
  write_file(path("disk.img"), std::string(1000 << 10, 'x'));
  make_image({"-o", "compat=0.10"});
  expect_restored();
  EXPECT_EQ(fs::file_size(path("ours.raw")), 1000 << 10);
}

// QEMU keeps the state of a machine past the end of its disk, in tables that are larger than the disk's.
TEST_F(E2imageRestoring, R10NothingPastTheEndOfTheDiskIsWritten) {
  write_file(path("disk.img"), std::string(6 << 20, 'x'));
  make_image({"-o", "compat=0.10,cluster_size=4096"});
  const std::string size_of_1000_kib{0, 0, 0, 0, 0, '\x0f', '\xa0', 0};
  patch_file(path("image.qcow2"), 24, size_of_1000_kib);
  expect_restored();
  EXPECT_EQ(fs::file_size(path("ours.raw")), 1000 << 10);
}

TEST_F(E2imageRestoring, R12Version3IsRestored) {
  make_file_system();
  make_image({"-o", "compat=1.1,cluster_size=4096"});
  expect_restored();
}

TEST_F(E2imageRestoring, R15AFileThatIsTwoThingsIsRefused) {
  make_file_system();
  make_image({"-o", "compat=0.10"});
  patch_file(path("disk.img"), 0, read_file(path("image.qcow2")).substr(0, 72));
  const Outcome outcome = ours({"-r", "disk.img", "ours.raw"});
  EXPECT_EQ(outcome.status, 1) << outcome;
  EXPECT_NE(outcome.err.find("disk.img: looks like a qcow2 image and like an ext2/3/4 file system"),
            std::string::npos)
      << outcome;
  EXPECT_FALSE(fs::exists(path("ours.raw")));
  EXPECT_EQ(ours({"-Q", "disk.img", "image.qcow2"}).status, 0);  // looks for no image
}

class E2imageDumping : public E2imageTest {
 protected:
  // -r, and what comes out of -Q.
  void expect_all_metadata() const {
    const Outcome outcome = ours({"-r", "disk.img", "ours.raw"});
    EXPECT_EQ(outcome.status, 0) << outcome;
    expect_same_metadata("ours.raw");
    expect_image_of("ours.raw", {"-Q"});
  }
  Outcome ours_with_bad_block(const Words& words, std::uint64_t block) const {
    const std::string range = std::to_string(block * block_size()) + ":1";
    return ours(words, faulty({"FAULTY_FILE=" + path("disk.img").string(), "FAULTY_RANGES=" + range}));
  }
};

TEST_F(E2imageDumping, W1ARefcountTableIsAsLargeAsItMustBe) {
  fs::create_directory(path("tree"));
  Random random;
  const Bytes bytes = random.bytes(66'300'000);
  write_file(path("tree/contents"), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  output_of({"mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", "-N", "64", "-m", "0", "-O",
             "^resize_inode,sparse_super2", "-E", "num_backup_sb=0", "-d", "tree", "disk.img", "68M"});
  expect_image_of("disk.img", {"-Qa"});
  EXPECT_EQ(run({"qemu-img", "check", "image.qcow2"}).out.find("refcount=0"), std::string::npos);
}

TEST_F(E2imageDumping, W3AnUnreadableBlockIsZeroAndSaid) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const std::uint64_t block = first_block_of("/many");
  const Words texts{"Input/output error error reading block " + std::to_string(block), "zeros"};
  for (const std::string option : {"-r", "-Q", "-ra"}) {
    const Outcome outcome = ours_with_bad_block({option, "disk.img", "ours"}, block);
    EXPECT_EQ(outcome.status, 1) << outcome;
    for (const std::string& text : texts) EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome;
    if (option == "-r") fs::rename(path("ours"), path("ours.raw"));
    fs::remove(path("ours"));
  }
  patch_file(path("disk.img"), block * 1024, std::string(1024, '\0'));
  expect_same_metadata("ours.raw");
}

TEST_F(E2imageDumping, W4ADiskOfMoreThanQemuCanOpenGetsLargerClusters) {
  output_of({"mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^resize_inode", "-N", "100000",
             "disk.img", "600G"});
  const Outcome outcome = ours({"-Q", "disk.img", "image.qcow2"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  expect_qemu_finds_nothing("image.qcow2");
  EXPECT_EQ(run({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", "disk.img", "image.qcow2"}).status, 1);
  EXPECT_EQ(ours({"-r", "image.qcow2", "ours.raw"}).status, 0);
  EXPECT_EQ(output_of({"dumpe2fs", "-h", "ours.raw"}), output_of({"dumpe2fs", "-h", "disk.img"}));
}

TEST_F(E2imageDumping, W5ACopyOfEverythingHasTheBackupsAndTheBootBlock) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  patch_file(path("disk.img"), 100, "boot loader");
  EXPECT_EQ(ours({"-ra", "disk.img", "ours.raw"}).status, 0);
  expect_same_blocks_in_use("ours.raw");
  expect_image_of("ours.raw", {"-Qa"});
  EXPECT_NE(output_of({"dumpe2fs", "-h", "-o", "superblock=8193", "-o", "blocksize=1024", "ours.raw"}), "");
}

TEST_F(E2imageDumping, W6ABadExtentNodeEndsNothing) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const std::string extents = output_of({"debugfs", "-R", "ex /with-holes", "disk.img"});
  const std::string node = extents.substr(extents.find(" 0/ "));
  std::istringstream fields(node.substr(node.find(" - ")));
  std::string word;
  std::uint64_t block = 0;
  fields >> word >> word >> block;
  ASSERT_NE(block, 0) << extents;
  patch_file(path("disk.img"), block * 1024, std::string(12, '\7'));
  EXPECT_NE(theirs({"-r", "disk.img", "theirs.raw"}).status, 0);
  expect_all_metadata();
  EXPECT_NE(ours({"-r", "disk.img", "ours.raw"}).err.find("extent node"), std::string::npos);
}

TEST_F(E2imageDumping, W7BlocksOfOrphansAreTaken) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const std::string text = output_of({"debugfs", "-R", "stat /with-holes", "disk.img"});
  const std::string inode = std::to_string(std::stoull(text.substr(text.find("Inode: ") + 7)));
  debugfs_write({"unlink /with-holes", "sif <" + inode + "> links_count 0", "sif <" + inode + "> dtime 0"});
  expect_all_metadata();
  const Words look{"debugfs", "-R", "dump_extents <" + inode + ">", "disk.img"};
  Words look_at_ours = look;
  look_at_ours.back() = "ours.raw";
  EXPECT_EQ(output_of(look_at_ours), output_of(look));
}

TEST_F(E2imageDumping, ADamagedPrimarySuperblockIsReplacedByABackup) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  patch_file(path("disk.img"), 1024, std::string(1024, '\0'));
  const Outcome outcome = ours({"-r", "disk.img", "ours.raw"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_NE(outcome.err.find("backup superblock"), std::string::npos) << outcome;
  expect_same_metadata("ours.raw");
}

TEST_F(E2imageDumping, ADiskOfOnesHoldsNoFileSystem) {
  write_file(path("disk.img"), std::string(2048, '\xff'));
  const Outcome outcome = ours({"-Q", "disk.img", "image.qcow2"});
  EXPECT_EQ(outcome.status, 1) << outcome;
  EXPECT_NE(outcome.err.find("Bad magic number in super-block while trying to open disk.img"),
            std::string::npos)
      << outcome;
}

// Long runs of zeros are not written block by block.
TEST_F(E2imageDumping, W8ZerosGoThroughAPipeInLargePieces) {
  require_program("strace");
  make_file_system({{"-t", "ext4", "-b", "4096"}, "64M"});
  write_file(path("pipe.sh"), "strace -f -c -o writes -e trace=write " E2IMAGE_PROGRAM
                              " -r disk.img - 2>/dev/null | cat >ours.raw\n");
  output_of({"sh", "pipe.sh"});
  std::istringstream lines(read_file(path("writes")));
  std::uint64_t writes = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.ends_with(" write")) writes = std::stoull(line.substr(line.find_first_not_of(' ', 34)));
  EXPECT_GT(writes, 0);
  EXPECT_LT(writes, (64 << 20) / 4096 / 2);
  EXPECT_EQ(theirs({"-r", "disk.img", "theirs.raw"}).status, 0);
  expect_same_bytes("ours.raw", "theirs.raw");
}

// e2fsck finds nothing, and no name is left.
void expect_anonymised(const Outcome& checked, const std::string& bytes) {
  EXPECT_EQ(checked.status, 0) << checked;
  for (const char* name : {"with-holes", "nnnnnnnnnn"})
    EXPECT_EQ(bytes.find(name), std::string::npos) << name;
}

TEST_F(E2imageDumping, S1AnonymisedDirectoriesAreWhole) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  ASSERT_NE(read_file(path("disk.img")).find("with-holes"), std::string::npos);
  EXPECT_EQ(ours({"-rs", "disk.img", "ours.raw"}).status, 0);
  expect_anonymised(run({"e2fsck", "-fn", "ours.raw"}), read_file(path("ours.raw")));
  EXPECT_EQ(ours({"-Qs", "disk.img", "ours.qcow2"}).status, 0);
  output_of({"e2image", "-r", "ours.qcow2", "theirs.raw"});
  expect_anonymised(run({"e2fsck", "-fn", "theirs.raw"}), read_file(path("ours.qcow2")));
}

TEST_F(E2imageDumping, AListWritesNothing) {
  make_file_system();
  write_file(path("ours"), "precious");
  for (const std::string options : {"-rn", "-Qn", "-n"}) {
    EXPECT_EQ(ours({options, "disk.img", "ours"}).status, 0);
    EXPECT_EQ(read_file(path("ours")), "precious");
  }
}

TEST_F(E2imageDumping, NothingIsWrittenOverTheSource) {
  make_file_system();
  copy_disk(path("disk.img"), path("before.img"));
  fs::create_hard_link(path("disk.img"), path("other-name"));
  for (const std::string options : {"-r", "-Q", "-ra"}) {
    const Outcome outcome = ours({options, "disk.img", "other-name"});
    EXPECT_EQ(outcome.status, 1) << outcome;
  }
  expect_same_bytes("disk.img", "before.img");
}

TEST_F(E2imageDumping, DataAfterADiskInAFileIsKept) {
  make_file_system();
  write_file(path("ours"), std::string(50 << 20, 'x'));
  EXPECT_EQ(ours({"-raO", "1048576", "disk.img", "ours"}).status, 0);
  const std::string bytes = read_file(path("ours"));
  EXPECT_EQ(bytes.size(), 50 << 20);
  EXPECT_EQ(bytes.substr(0, 1 << 20), std::string(1 << 20, 'x'));
  EXPECT_EQ(bytes.substr(33 << 20), std::string(17 << 20, 'x'));
}

}  // namespace
}  // namespace e2qcow::test
