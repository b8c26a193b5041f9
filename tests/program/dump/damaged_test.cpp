// SPDX-License-Identifier: GPL-2.0-or-later
// Damaged file systems: e2fsck, dumpe2fs and debugfs say of what comes back what they say of the disk.
#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlock = 1024;
constexpr std::uint64_t kSuperblock = 1024;     // where the primary is
constexpr std::uint64_t kDescriptors = 2048;    // the same
constexpr std::uint64_t kDescriptorBytes = 64;  // with the feature 64bit
constexpr std::uint64_t kSecondGroup = 8193;    // where its superblock is
constexpr std::uint64_t kFourthGroup = 24577;   // the same
const Words kExt4{"-t", "ext4", "-b", "1024", "-O", "64bit,metadata_csum"};
const Words kExt4WithoutChecksums{"-t", "ext4", "-b", "1024", "-O", "64bit,^metadata_csum"};
const Words kExt3{"-t", "ext3", "-b", "1024"};

// Fields of an inode. Source of all fields: <ext2fs/ext2_fs.h>
constexpr std::uint64_t kMode = 0;
constexpr std::uint64_t kDeletionTime = 20;
constexpr std::uint64_t kLinks = 26;
constexpr std::uint64_t kFlags = 32;
constexpr std::uint64_t kMap = 40;

std::string le(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}
std::string be(std::uint64_t value, std::size_t width) {
  const std::string bytes = le(value, width);
  return {bytes.rbegin(), bytes.rend()};
}

// Bit by bit; begins with 0, and is not inverted.
std::uint32_t crc32c(const std::string& bytes) {
  std::uint32_t crc = 0;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78U : crc >> 1;
  }
  return crc;
}

// How often contents of files are in it.
std::uint64_t count_markers(const std::string& bytes) {
  std::uint64_t count = 0;
  for (std::size_t at = bytes.find(kMarker); at != std::string::npos; at = bytes.find(kMarker, at + 1))
    ++count;
  return count;
}

class Damaged : public FileSystemTest {
 protected:
  void patch(std::uint64_t offset, const std::string& bytes) const {
    patch_file(path("disk.img"), offset, bytes);
  }
  std::string bytes_at(std::uint64_t offset, std::size_t length) const {
    return read_bytes(path("disk.img"), offset, length);
  }
  std::uint64_t number_at(std::uint64_t offset, std::size_t width) const {
    std::uint64_t number = 0;
    const std::string bytes = bytes_at(offset, width);
    for (std::size_t i = width; i > 0; --i) number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
    return number;
  }
  std::string debugfs(const std::string& command) const {
    return output_of({"debugfs", "-R", command, "disk.img"});
  }
  // Of an inode on the disk.
  std::uint64_t offset_of(const std::string& file) const {
    const std::string text = debugfs("imap " + file);
    const auto number_behind = [&](const std::string& words, int base) {
      return std::stoull(text.substr(text.find(words) + words.size()), nullptr, base);
    };
    return number_behind("located at block ", 10) * kBlock + number_behind("offset 0x", 16);
  }
  void damage_inode(const std::string& file, std::uint64_t field, std::uint64_t value,
                    std::size_t width) const {
    patch(offset_of(file) + field, le(value, width));
  }
  // The block of the first node under the root of a file's extent tree.
  std::uint64_t node_of(const std::string& file) const {
    return number_at(offset_of(file) + kMap + 12 + 4, 4);
  }
  void expect_truth(const Words& dump_options = {}) const { expect_dumps_are_judged_alike(dump_options); }
  void expect_truth_from_backup(std::uint64_t block) const {
    for (const char* const how : {"-fn", "-fy"})
      expect_checked_alike("ours.raw", {how, "-b", std::to_string(block), "-B", "1024"});
  }

  // /tangled is a directory whose blocks are in so many pieces that its tree has a leaf of its own.
  void make_tangled_directory(const Words& options) const {
    make_file_system({options});
    Words commands{"mkdir tangled"};
    for (int i = 0; i < 60; ++i) {
      commands.push_back("write tree/small/file10 tangled/" + std::string(120, 't') + std::to_string(i));
      commands.push_back("write tree/small/file10 small/between" + std::to_string(i));
    }
    write_file(path("script"), "");
    for (const std::string& command : commands)
      patch_file(path("script"), fs::file_size(path("script")), command + "\n");
    run({"debugfs", "-w", "-f", "script", "disk.img"});
    EXPECT_LE(run({"e2fsck", "-fy", "disk.img"}).status, 1);
    ASSERT_EQ(number_at(offset_of("/tangled") + kMap + 6, 2), 1) << "depth of the tree";
  }
};

// --- superblocks and descriptors

TEST_F(Damaged, APrimarySuperblockOfZeros) {
  make_file_system({kExt4});
  patch(kSuperblock, std::string(1024, '\0'));
  expect_truth();
  expect_truth_from_backup(kSecondGroup);
}

TEST_F(Damaged, APrimarySuperblockOfZerosIfGroupsAreSmall) {
  make_file_system({{"-t", "ext4", "-b", "1024", "-g", "256"}});
  patch(kSuperblock, std::string(1024, '\0'));
  expect_truth();
  expect_truth_from_backup(257);
}

TEST_F(Damaged, APrimarySuperblockOfZerosIfThereAreClusters) {
  make_file_system({{"-t", "ext4", "-b", "1024", "-O", "bigalloc", "-C", "4096"}, "300M"});
  patch(kSuperblock, std::string(1024, '\0'));
  expect_truth();
  expect_truth_from_backup(32768);
}

TEST_F(Damaged, PrimaryDescriptorsOfZeros) {
  for (const Words& options : {kExt4, kExt3}) {
    make_file_system({options});
    patch(kDescriptors, std::string(kBlock, '\0'));
    expect_truth();
  }
}

TEST_F(Damaged, PrimaryDescriptorsOfNoise) {
  make_file_system({kExt3});
  patch(kDescriptors, std::string(kBlock, '\x5a'));
  expect_truth();
}

TEST_F(Damaged, PrimaryAndBackupsThatPutATableInTwoPlaces) {
  make_file_system({kExt4});
  for (const std::uint64_t table : {std::uint64_t{20000}, std::uint64_t{3}, std::uint64_t{0xffffffff}}) {
    patch(kDescriptors + kDescriptorBytes + 8, le(table, 4));
    expect_truth();
    expect_truth_from_backup(kSecondGroup);
  }
}

TEST_F(Damaged, ABackupThatIsWrongThoughAnotherOneIsRight) {
  make_file_system({kExt3});
  patch((kFourthGroup + 1) * kBlock + 8, le(20000, 4));
  expect_truth();
  expect_truth_from_backup(kFourthGroup);
}

TEST_F(Damaged, APrimaryThatLiesAboutTheSizeOfBlocks) {
  for (const Words& options : {kExt4, kExt3})
    for (const std::uint64_t log : {1, 2}) {
      make_file_system({options});
      patch(kSuperblock + 24, le(log, 4) + le(log, 4));
      expect_truth();
    }
}

// The journal's map in the superblock then leads anywhere.
TEST_F(Damaged, OneThatLiesAboutTheSizeOfBlocksLeadsToNoContents) {
  make_file_system({{"-t", "ext4", "-b", "4096"}});
  for (const std::uint64_t log_block_size : {0, 1, 3, 4, 5, 6}) {
    patch(kSuperblock + 24, le(log_block_size, 4));
    expect_truth();
    ASSERT_EQ(e2qcow({"dump", "disk.img", "image.qcow2"}).status, 3);
    ASSERT_EQ(e2qcow({"restore", "image.qcow2", "ours.raw"}).status, 0);
    const std::uint64_t all = count_markers(read_file(path("disk.img")));
    EXPECT_LT(count_markers(read_file(path("ours.raw"))), all / 50) << log_block_size;
  }
}

TEST_F(Damaged, APrimaryWithoutBackupsThatLiesAboutTheInodesOfAGroup) {
  for (const std::uint64_t inodes :
       {std::uint64_t{0}, std::uint64_t{0x7fffffff}, std::uint64_t{0xffffffff}}) {
    make_file_system({{"-t", "ext3", "-b", "1024"}, "8M"});
    patch(kSuperblock + 40, le(inodes, 4));
    expect_truth();
  }
}

TEST_F(Damaged, APrimaryThatHasEveryFeature) {
  for (const Words& options : {kExt4, kExt3})
    for (const std::uint64_t field : {92, 100}) {
      make_file_system({options});
      patch(kSuperblock + field, le(0xffffffff, 4));
      expect_truth();
    }
}

TEST_F(Damaged, APrimaryThatClaimsOneGroup) {
  for (const Words& options : {kExt4, kExt3}) {
    make_file_system({options});
    patch(kSuperblock + 4, le(4000, 4));
    expect_truth();
  }
}

TEST_F(Damaged, APrimaryThatClaimsMoreThanAnybodyHasCostsNothing) {
  make_file_system({kExt4WithoutChecksums});
  patch(kSuperblock + 4, le(0, 4));
  patch(kSuperblock + 0x150, le(1 << 28, 4));  // the high half: 2^60 blocks
#ifdef E2QCOW_SANITIZED
  const std::string limit;
#else
  const std::string limit = "ulimit -v 524288; ";
#endif
  const Outcome dump = run({"sh", "-c", limit + "exec \"$0\" dump disk.img image.qcow2", E2QCOW_PROGRAM});
  EXPECT_EQ(dump.status, 3) << dump;
  EXPECT_NE(dump.err.find("shorter than its file system"), std::string::npos) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_metadata("ours.raw");
  EXPECT_EQ(read_file(path("ours.raw")).find(kMarker), std::string::npos);
}

TEST_F(Damaged, AFlagOfAJournalDeviceDoesNotMakeOne) {
  make_file_system({kExt4});
  patch(kSuperblock + 96, le(number_at(kSuperblock + 96, 4) | 8, 4));
  expect_truth();
  EXPECT_EQ(read_file(path("ours.raw")).find(kMarker), std::string::npos);
}

TEST_F(Damaged, NoSuperblockIsAnErrorAndWithForceWhatIsRecognised) {
  std::string noise;
  for (int i = 0; noise.size() < 4 << 20; ++i) noise += std::to_string(i) + " bottles of beer\n";
  write_file(path("disk.img"), noise.substr(0, 4 << 20));
  expect_failure(e2qcow({"dump", "disk.img", "image.qcow2"}), {"no ext2/3/4 file system found", "--force"});
  EXPECT_FALSE(fs::exists(path("image.qcow2")));
  const Outcome dump = e2qcow({"dump", "--force", "disk.img", "image.qcow2"});
  EXPECT_EQ(dump.status, 3) << dump;
  EXPECT_NE(dump.err.find("no superblock found"), std::string::npos) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  std::string expected = noise.substr(0, 4 << 20);
  std::fill(expected.begin() + 65536, expected.end() - 65536, '\0');
  EXPECT_TRUE(read_file(path("ours.raw")) == expected);
}

TEST_F(Damaged, ADiskOfOnesHoldsNoFileSystem) {
  write_file(path("disk.img"), std::string(2048, '\xff'));
  expect_failure(e2qcow({"dump", "disk.img", "image.qcow2"}), {"no ext2/3/4 file system found"});
  expect_failure(e2qcow({"measure", "disk.img"}), {"no ext2/3/4 file system found"});
  EXPECT_EQ(e2qcow({"dump", "--force", "disk.img", "image.qcow2"}).status, 3);
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_bytes("disk.img", "ours.raw");
}

// --- flags and bitmaps

TEST_F(Damaged, FlagsThatATableWasNeverUsedWithoutTheirChecksum) {
  for (const Words& options : {kExt4, kExt4WithoutChecksums}) {
    make_file_system({options});
    for (std::uint64_t group = 0; group < 4; ++group)
      patch(kDescriptors + group * kDescriptorBytes + 0x12, le(3, 2));
    expect_truth();
  }
}

TEST_F(Damaged, ABitmapWithoutItsChecksumDoesNotFreeWhatIsInUse) {
  make_file_system({kExt4});
  const std::string original = read_file(path("disk.img"));
  const std::uint64_t large = first_block_of("/large") * kBlock;
  const std::uint64_t group = (large / kBlock - 1) / 8192;
  patch(number_at(kDescriptors + group * kDescriptorBytes, 4) * kBlock, std::string(kBlock, '\0'));
  expect_truth();
  EXPECT_EQ(e2qcow({"dump", "--all", "disk.img", "image.qcow2"}).status, 3);
  EXPECT_EQ(e2qcow({"restore", "image.qcow2", "ours.raw"}).status, 0);
  EXPECT_EQ(read_file(path("ours.raw")).compare(large, 1 << 20, original, large, 1 << 20), 0);
}

// --- inodes

TEST_F(Damaged, ADirectoryWithTheModeOfNothing) {
  for (const Words& options : {kExt4WithoutChecksums, kExt3})
    for (const std::uint64_t mode : {0000755, 0010755, 0020755, 0030755, 0060755, 0140755, 0170755}) {
      make_file_system({options});
      damage_inode("/small", kMode, mode, 2);
      damage_inode("/many", kMode, mode, 2);
      if (mode == 0020755) damage_inode("/many", kLinks, 1, 2);
      expect_truth();
    }
}

TEST_F(Damaged, ARootMarkedAsDeleted) {
  make_file_system({kExt4WithoutChecksums});
  damage_inode("<2>", kLinks, 0, 2);
  damage_inode("<2>", kDeletionTime, 1'600'000'000, 4);
  expect_truth();
}

TEST_F(Damaged, ADirectoryMarkedAsInline) {
  make_file_system({{"-t", "ext4", "-b", "1024", "-I", "256", "-O", "inline_data,^metadata_csum"}});
  for (const char* const file : {"/many", "/with-holes"})
    damage_inode(file, kFlags, number_at(offset_of(file) + kFlags, 4) | 0x10000000, 4);
  expect_truth();
}

TEST_F(Damaged, AFileMarkedAsHashTree) {
  for (const Words& options : {kExt4WithoutChecksums, kExt3}) {
    make_file_system({options});
    damage_inode("/small/file7", kFlags, number_at(offset_of("/small/file7") + kFlags, 4) | 0x1000, 4);
    expect_truth();
  }
}

TEST_F(Damaged, AFlagThatDisagreesWithTheMap) {
  make_file_system({kExt4WithoutChecksums});
  for (const char* const file : {"/many", "/with-holes"})
    damage_inode(file, kFlags, number_at(offset_of(file) + kFlags, 4) & ~0x80000ULL, 4);
  expect_truth();
  make_file_system({kExt3, "32M", {"feature extents"}});
  for (const char* const file : {"/many", "/with-holes"})
    damage_inode(file, kFlags, number_at(offset_of(file) + kFlags, 4) | 0x80000, 4);
  expect_truth();
}

// e2fsck goes by the superblock, and minds nothing.
TEST_F(Damaged, AnOrphanFileMarkedAsDeleted) {
  make_file_system({{"-t", "ext4", "-b", "1024", "-O", "orphan_file"}});
  const std::string inode = "<" + header_field("Orphan file inode") + ">";
  debugfs_write({"sif " + inode + " links_count 0", "sif " + inode + " dtime 1600000000"});
  expect_truth();
}

TEST_F(Damaged, AnEmptyLinkWithAnIndirectBlock) {
  constexpr std::uint64_t kNode = 9000;
  make_file_system({{"-t", "ext3", "-b", "1024"}});
  debugfs_write({"symlink /empty " + std::string(200, 't'), "sif /empty size 0",
                 "sif /empty block[IND] " + std::to_string(kNode), "setb " + std::to_string(kNode)});
  patch(kNode * kBlock, le(9001, 4) + le(9002, 4) + le(99'999, 4));
  expect_truth();
}

TEST_F(Damaged, AnExtentTreeThatIsALoop) {
  make_tangled_directory(kExt4WithoutChecksums);
  const std::uint64_t node = node_of("/tangled");
  patch(offset_of("/tangled") + kMap + 6, le(2, 2));  // the root is one level higher
  patch(node * kBlock + 2, le(1, 2) + le(84, 2) + le(1, 2));
  patch(node * kBlock + 12, le(0, 4) + le(node, 4) + le(0, 4));
  expect_truth();
}

TEST_F(Damaged, ARootThatLiesAboutItsDepth) {
  for (const std::uint64_t depth : {6, 32, 65535}) {
    make_tangled_directory(kExt4WithoutChecksums);
    patch(offset_of("/tangled") + kMap + 6, le(depth, 2));
    expect_truth();
  }
}

TEST_F(Damaged, ALeafThatLiesAboutItsDepth) {
  for (const Words& options : {kExt4, kExt4WithoutChecksums}) {
    make_tangled_directory(options);
    patch(node_of("/tangled") * kBlock + 6, le(1, 2));
    expect_truth();
  }
}

TEST_F(Damaged, ANodeWithoutMagic) {
  make_tangled_directory(kExt4);
  patch(node_of("/tangled") * kBlock, le(0xf30b, 2));
  expect_truth();
}

TEST_F(Damaged, BadBlocksAreNoDamageAndAreNotRead) {
  write_file(path("bad"), "20000\n20001\n20010\n");
  for (const Words& type : {Words{"-t", "ext4"}, Words{"-t", "ext2"}}) {
    Words options = type;
    options.insert(options.end(), {"-b", "1024", "-l", "bad"});
    make_file_system({options});
    patch(20000 * kBlock, std::string(2 * kBlock, 'b'));  // no hole, which would not be read anyway
    const Outcome dump = e2qcow({"dump", "disk.img", "image.qcow2"},
                                faulty({"FAULTY_FILE=" + path("disk.img").string(),
                                        "FAULTY_RANGES=" + std::to_string(20000 * kBlock) + ":2048"}));
    EXPECT_EQ(dump.status, 0) << dump;
    expect_truth();
  }
}

// --- journals

class UnreplayedJournal : public Damaged {
 protected:
  // Replaying moves the blocks of /many to others, of which there are copies, and wipes the old ones.
  void make_journal_that_moves_a_directory(const Words& mke2fs, const std::string& open_journal) const {
    make_file_system({mke2fs});
    const std::uint64_t inode = offset_of("/many");
    const std::uint64_t table_block = inode / kBlock;
    const std::uint64_t blocks = number_at(inode + kMap + 12 + 4, 2);
    const std::uint64_t old_place = first_block_of("/many");
    patch(kNewPlace * kBlock, bytes_at(old_place * kBlock, blocks * kBlock));
    std::string table = bytes_at(table_block * kBlock, kBlock);
    table.replace(inode % kBlock + kMap + 12 + 8, 4, le(kNewPlace, 4));
    write_file(path("written"), table + std::string(kBlock, 'w'));
    debugfs_write({open_journal,
                   "jw -b " + std::to_string(table_block) + "," + std::to_string(old_place) + " written",
                   "jw -r " + std::to_string(kNewPlace + 100), "jc"});
    ASSERT_NE(header_field("Filesystem features").find("needs_recovery"), std::string::npos);
  }
  std::uint64_t journal() const { return first_block_of("<8>") * kBlock; }
  // A field of its superblock.
  std::uint64_t journal_number(std::uint64_t offset) const {
    std::uint64_t number = 0;
    for (const char byte : bytes_at(journal() + offset, 4))
      number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }

  static constexpr std::uint64_t kNewPlace = 30000;
};

TEST_F(UnreplayedJournal, MovesADirectory) {
  for (const char* const open_journal : {"jo", "jo -c"}) {
    make_journal_that_moves_a_directory(kExt4WithoutChecksums, open_journal);
    expect_truth();
    make_journal_that_moves_a_directory(kExt4, open_journal);
    expect_truth();
  }
}

TEST_F(UnreplayedJournal, OfWhichTheSuperblockLiesAboutTheRing) {
  for (const std::uint64_t first : {0, 5, 100'000}) {
    make_journal_that_moves_a_directory(kExt4WithoutChecksums, "jo");
    patch(journal() + 20, be(first, 4));
    expect_truth();
  }
}

TEST_F(UnreplayedJournal, WithABlockWhoseChecksumIsWrong) {
  for (const std::uint64_t block : {1, 2, 3, 4, 5}) {
    make_journal_that_moves_a_directory(kExt4, "jo -c");
    patch(journal() + block * kBlock + 500, "!");
    expect_truth();
  }
}

// The states in between also count: after the first of two transactions the directory is elsewhere.
TEST_F(UnreplayedJournal, WithAChecksumOfATransactionThatIsWrong) {
  make_journal_that_moves_a_directory(kExt4WithoutChecksums, "jo");
  const std::uint64_t inode = offset_of("/many");
  const std::uint64_t table_block = inode / kBlock;
  patch(31000 * kBlock, bytes_at(kNewPlace * kBlock, 40 * kBlock));
  std::string table = bytes_at(table_block * kBlock, kBlock);
  table.replace(inode % kBlock + kMap + 12 + 8, 4, le(31000, 4));
  write_file(path("written"), table);
  debugfs_write({"jo", "jw -b " + std::to_string(table_block) + " written", "jc"});
  patch(journal() + 36, be(1, 4));  // transactions have checksums
  std::vector<std::uint64_t> commits;
  for (std::uint64_t block = 1; block < 20; ++block)
    if (bytes_at(journal() + block * kBlock, 8) == be(0xc03b3998, 4) + be(2, 4)) commits.push_back(block);
  ASSERT_GE(commits.size(), 2);
  patch(journal() + commits.back() * kBlock + 12, be(0x01040000, 4) + be(0x12345678, 4));
  expect_truth();
}

// A directory is elsewhere after a fast commit. Source of the format: the kernel's fs/ext4/fast_commit.h
TEST_F(UnreplayedJournal, WithAFastCommit) {
  make_file_system({{"-t", "ext4", "-b", "1024", "-O", "fast_commit,^metadata_csum,^64bit"}});
  const std::uint64_t place = offset_of("/many");
  const std::string stat = debugfs("stat /many");
  const std::uint64_t number = std::stoull(stat.substr(stat.find("Inode: ") + 7));
  const std::uint64_t blocks = number_at(place + kMap + 12 + 4, 2);
  const std::uint64_t old_place = first_block_of("/many");
  patch(kNewPlace * kBlock, bytes_at(old_place * kBlock, blocks * kBlock));
  std::string inode = bytes_at(place, 160);
  inode.replace(kMap + 12 + 8, 4, le(kNewPlace, 4));
  write_file(path("written"), std::string(kBlock, 'w'));
  debugfs_write({"jo", "jw -b " + std::to_string(old_place) + " written", "jc"});
  patch(journal() + 40, be(0x20, 4));  // the journal, too, has the feature
  const std::uint64_t sequence = journal_number(24) + 1;
  const auto tag = [](std::uint64_t kind, const std::string& value) {
    return le(kind, 2) + le(value.size(), 2) + value;
  };
  const std::string range = le(number, 4) + le(0, 4) + le(blocks, 2) + le(0, 2) + le(kNewPlace, 4);
  std::string commit = tag(9, le(0, 4) + le(sequence, 4)) + tag(6, le(number, 4) + inode) + tag(1, range) +
                       le(8, 2) + le(8, 2) + le(sequence, 4);
  commit += le(crc32c(commit), 4);
  const std::uint64_t area = journal_number(16) - journal_number(0x54);
  const std::uint64_t block = std::stoull(debugfs("bmap <8> " + std::to_string(area + 1)));
  patch(block * kBlock, commit);
  expect_truth();
  copy_disk(path("disk.img"), path("copy.img"));
  EXPECT_NE(run({"e2fsck", "-fy", "copy.img"}).status, 8);
  EXPECT_EQ(output_of({"debugfs", "-R", "bmap many 0", "copy.img"}), std::to_string(kNewPlace) + "\n")
      << "was not replayed: no test";
}

TEST_F(UnreplayedJournal, WhoseInodeIsGone) {
  make_journal_that_moves_a_directory(kExt4WithoutChecksums, "jo");
  patch(offset_of("<8>"), std::string(128, '\0'));
  expect_truth();
}

TEST_F(UnreplayedJournal, WhosePrimarySuperblockIsGone) {
  make_journal_that_moves_a_directory(kExt4, "jo -c");
  patch(kSuperblock, std::string(1024, '\0'));
  expect_truth();
  expect_truth_from_backup(kSecondGroup);
}

TEST_F(Damaged, AJournalDeviceComesBackAsAWhole) {
  for (const char* const block_size : {"1024", "4096"}) {
    fs::remove(path("disk.img"));
    output_of({"mke2fs", "-q", "-F", "-O", "journal_dev", "-b", block_size, "disk.img", "8M"});
    for (const std::uint64_t offset : {100'000, 1 << 20, (8 << 20) - 10}) patch(offset, "transaction");
    fs::resize_file(path("disk.img"), 8 << 20);
    const Outcome dump = e2qcow({"dump", "disk.img", "image.qcow2"});
    EXPECT_EQ(dump.status, 0) << dump;
    expect_restored_as_by_qemu("image.qcow2", "ours.raw");
    expect_same_bytes("ours.raw", "disk.img");
  }
}

}  // namespace
}  // namespace e2qcow::test
