// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/recovery.h"

#include <gtest/gtest.h>

#include "tests/support/extent_nodes.h"
#include "tests/support/journal_bytes.h"

namespace e2qcow::ext2 {
namespace {

using Features = JournalBytes::Features;

constexpr std::uint64_t kRecoveryPlace = 100;  // of the journal

// A file system of 2000 blocks of 1 KiB whose journal, inode 8, lies in one piece.
class Journals : public testing::Test {
 protected:
  Journals() {
    image_.superblock.raw.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL;
    image_.superblock.raw.s_journal_inum = 8;
    image_.set_descriptor(0, Ext2Image::kInodeTable, 20);
  }

  static Bytes extents(const std::vector<std::pair<std::uint64_t, BlockRun>>& runs) {
    std::vector<LeafEntry> entries;
    for (const auto& [logical, run] : runs) entries.push_back({run.first, run.count});
    Bytes map = extent_leaf(entries);
    for (std::size_t i = 0; i < runs.size(); ++i) set_le(map, 12 + 12 * i, runs[i].first, 4);
    map.resize(60);
    return map;
  }
  void put_journal_inode(const Bytes& map, std::uint32_t flags = EXT4_EXTENTS_FL) {
    Bytes inodes(1024);
    const auto inode = std::span(inodes).subspan(7 * 128, 128);
    set_le(inode, 0, 0100600, 2);
    set_le(inode, 32, flags, 4);
    std::ranges::copy(map, inode.begin() + 40);
    image_.put_block(20, inodes);
  }
  void back_up(const Bytes& map) {
    image_.superblock.raw.s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
    for (std::size_t i = 0; i < 15; ++i)
      image_.superblock.raw.s_jnl_blocks[i] = load_le<std::uint32_t>(map, i * 4);
  }
  JournaledBlocks replay() { return read_journal(image_.open()).blocks; }
  JournaledBlocks replay(const JournalBytes& journal) {
    journal.put_into(image_, kRecoveryPlace);
    put_journal_inode(extents({{0, {kRecoveryPlace, journal.length()}}}));
    return replay();
  }

  Ext2Image image_{1024, 2000};
};

// The rules are the same whatever the log's features are.
class JournalFormats : public Journals, public testing::WithParamInterface<Features> {};

INSTANTIATE_TEST_SUITE_P(Tags, JournalFormats,
                         testing::Values(Features{}, Features{.has_64bit = true}, Features{.checksums = 2},
                                         Features{.has_64bit = true, .checksums = 2},
                                         Features{.checksums = 3},
                                         Features{.has_64bit = true, .checksums = 3}),
                         [](const auto& tested) {
                           return std::string(tested.param.has_64bit ? "Blocks64" : "Blocks32") +
                                  (tested.param.checksums == 0
                                       ? "WithoutChecksums"
                                       : "ChecksumsV" + std::to_string(tested.param.checksums));
                         });

TEST_P(JournalFormats, HaveTheBlocksThatWereCommitted) {
  JournalBytes journal(32, GetParam());
  journal.write({{500, filled(1024, 1)}, {600, filled(1024, 2)}, {700, filled(1024, 3)}});
  journal.write({{800, filled(1024, 4)}});
  journal.commit();
  EXPECT_EQ(replay(journal), (JournaledBlocks{{500, {kRecoveryPlace + 2, false}},
                                              {600, {kRecoveryPlace + 3, false}},
                                              {700, {kRecoveryPlace + 4, false}},
                                              {800, {kRecoveryPlace + 6, false}}}));
}

TEST_P(JournalFormats, HaveTheNewestVersionOfABlock) {
  JournalBytes journal(32, GetParam());
  for (int version = 1; version <= 3; ++version) {
    journal.write({{500, filled(1024, version)}});
    journal.commit();
  }
  EXPECT_EQ(replay(journal), (JournaledBlocks{{500, {kRecoveryPlace + 8, false}}}));
}

TEST_P(JournalFormats, LeaveOutWhatWasNotCommitted) {
  JournalBytes journal(32, GetParam());
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  journal.revoke({500});
  journal.write({{500, filled(1024, 2)}, {600, filled(1024, 2)}});
  EXPECT_EQ(replay(journal), (JournaledBlocks{{500, {kRecoveryPlace + 2, false}}}));
}

TEST_P(JournalFormats, LeaveOutWhatWasRevokedLaterOrInTheSameTransaction) {
  JournalBytes journal(32, GetParam());
  journal.write({{500, filled(1024, 1)}, {600, filled(1024, 1)}, {700, filled(1024, 1)}});
  journal.commit();
  journal.revoke({500, 600});
  journal.write({{600, filled(1024, 2)}});
  journal.commit();
  EXPECT_EQ(replay(journal), (JournaledBlocks{{700, {kRecoveryPlace + 4, false}}}));
}

TEST_P(JournalFormats, HaveWhatWasWrittenAgainAfterItWasRevoked) {
  JournalBytes journal(32, GetParam());
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  journal.revoke({500});
  journal.commit();
  journal.write({{500, filled(1024, 2)}});
  journal.commit();
  EXPECT_EQ(replay(journal), (JournaledBlocks{{500, {kRecoveryPlace + 7, false}}}));
}

TEST_P(JournalFormats, WrapAroundAtTheEndOfTheRing) {
  JournalBytes journal(8, GetParam(), 6);
  journal.write({{500, filled(1024, 1)}, {600, filled(1024, 2)}});
  journal.commit();
  EXPECT_EQ(replay(journal),
            (JournaledBlocks{{500, {kRecoveryPlace + 7, false}}, {600, {kRecoveryPlace + 1, false}}}));
}

TEST_P(JournalFormats, SayWhichBlocksAreEscaped) {
  JournalBytes journal(32, GetParam());
  Bytes escaped = filled(1024, 1);
  set_be(escaped, 0, JournalBytes::kMagic, 4);
  journal.write({{500, filled(1024, 1)}, {600, escaped}});
  journal.commit();
  EXPECT_EQ(replay(journal),
            (JournaledBlocks{{500, {kRecoveryPlace + 2, false}}, {600, {kRecoveryPlace + 3, true}}}));
}

TEST_P(JournalFormats, EndAtABreakInTheSequence) {
  JournalBytes journal(32, GetParam());
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  JournalBytes older(32, GetParam(), 4, 3);
  older.write({{600, filled(1024, 1)}});
  older.commit();
  for (std::uint64_t i = 4; i < 7; ++i) journal.block(i) = older.block(i);
  EXPECT_EQ(replay(journal), (JournaledBlocks{{500, {kRecoveryPlace + 2, false}}}));
}

TEST_P(JournalFormats, CountBeyondTheLastSequence) {
  JournalBytes journal(32, GetParam(), 1, 0xffffffff);
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  journal.revoke({500});
  journal.write({{600, filled(1024, 2)}});
  journal.commit();
  EXPECT_EQ(replay(journal), (JournaledBlocks{{600, {kRecoveryPlace + 6, false}}}));
}

TEST_P(JournalFormats, EndAtAMissingMagic) {
  JournalBytes journal(32, GetParam());
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  const std::uint64_t second = journal.write({{600, filled(1024, 1)}});
  journal.commit();
  journal.block(second)[0] ^= std::byte{1};
  EXPECT_EQ(replay(journal), (JournaledBlocks{{500, {kRecoveryPlace + 2, false}}}));
}

TEST_P(JournalFormats, EndWithABlockOfAnUnknownType) {
  JournalBytes journal(32, GetParam());
  const std::uint64_t first = journal.write({{500, filled(1024, 1)}});
  journal.commit();
  for (const int type : {0, 3, 4, 6, 255}) {
    set_be(journal.block(first), 4, static_cast<std::uint64_t>(type), 4);
    if (GetParam().checksums != 0) journal.put_crc(journal.block(first), JournalBytes::kBlockCrc);
    EXPECT_EQ(replay(journal), JournaledBlocks{}) << type;
  }
}

TEST_P(JournalFormats, LeaveOutBlocksThatAreNotInTheFileSystem) {
  JournalBytes journal(32, GetParam());
  journal.write({{0, filled(1024, 1)}, {1999, filled(1024, 1)}, {2000, filled(1024, 1)}, {0xffffffff, {}}});
  journal.commit();
  EXPECT_EQ(replay(journal),
            (JournaledBlocks{{0, {kRecoveryPlace + 2, false}}, {1999, {kRecoveryPlace + 3, false}}}));
}

TEST_P(JournalFormats, ReadNoMoreThanTheLogHas) {
  // Nothing but descriptors, all of one transaction, each with as many tags as fit: round and round.
  JournalBytes journal(64, GetParam());
  std::vector<JournalBytes::Write> writes(50, {500, filled(1024, 1)});
  journal.write(writes);
  Bytes& descriptor = journal.block(1);
  for (std::uint64_t i = 0; i < 50; ++i) {  // none of them is the last
    const std::uint64_t tag = 12 + i * journal.tag_bytes() + (i == 0 ? 0 : JournalBytes::kUuidBytes);
    set_be(descriptor, tag + (GetParam().checksums == 3 ? 4 : 6), i == 0 ? 0 : 2,
           GetParam().checksums == 3 ? 4 : 2);
  }
  if (GetParam().checksums != 0) journal.put_crc(descriptor, JournalBytes::kBlockCrc);
  const Bytes copy = descriptor;
  for (std::uint64_t i = 2; i < 64; ++i) journal.block(i) = copy;
  replay(journal);
  EXPECT_LE(image_.disk.reads().size(), 2 * 64 + 8);
}

class ChecksummedJournals : public Journals, public testing::WithParamInterface<int> {
 protected:
  ChecksummedJournals() : journal_(32, {.has_64bit = true, .checksums = GetParam()}) {
    journal_.write({{500, filled(1024, 1)}});
    journal_.commit();
    descriptor_ = journal_.write({{600, filled(1024, 2)}, {700, filled(1024, 3)}});
    revoke_ = journal_.revoke({800});
    commit_ = journal_.commit();
  }
  JournalBytes journal_;
  std::uint64_t descriptor_, revoke_, commit_;
  const JournaledBlocks first_alone_{{500, {kRecoveryPlace + 2, false}}};
};

INSTANTIATE_TEST_SUITE_P(Versions, ChecksummedJournals, testing::Values(2, 3));

TEST_P(ChecksummedJournals, AreReplayedIfAllChecksumsAreRight) {
  EXPECT_EQ(replay(journal_).size(), 3);
}

TEST_P(ChecksummedJournals, EndIfTheOneOfADescriptorIsWrong) {
  for (const std::uint64_t byte : {13, 200, 1019, 1023}) {
    journal_.block(descriptor_)[byte] ^= std::byte{1};
    EXPECT_EQ(replay(journal_), first_alone_) << byte;
    journal_.block(descriptor_)[byte] ^= std::byte{1};
  }
}

TEST_P(ChecksummedJournals, EndIfTheOneOfARevokeBlockIsWrong) {
  journal_.block(revoke_)[100] ^= std::byte{1};
  EXPECT_EQ(replay(journal_), first_alone_);
}

TEST_P(ChecksummedJournals, EndIfTheOneOfACommitBlockIsWrong) {
  for (const std::uint64_t byte : {12, 16, 19, 48, 1023}) {
    journal_.block(commit_)[byte] ^= std::byte{1};
    EXPECT_EQ(replay(journal_), first_alone_) << byte;
    journal_.block(commit_)[byte] ^= std::byte{1};
  }
}

TEST_P(ChecksummedJournals, LeaveOutABlockWhoseOwnIsWrong) {
  journal_.block(descriptor_ + 1)[512] ^= std::byte{1};
  EXPECT_EQ(replay(journal_), (JournaledBlocks{{500, {kRecoveryPlace + 2, false}},
                                               {700, {kRecoveryPlace + descriptor_ + 2, false}}}));
}

// Checksums of whole transactions, which the first ext4 wrote. Source: e2fsck/recovery.c
class SummedTransactions : public Journals {
 protected:
  SummedTransactions() : journal_(32, {}) {
    set_be(journal_.block(0), 36, 1, 4);  // the feature
    add_transaction(500);
    add_transaction(600);
  }
  void add_transaction(std::uint64_t block) {
    descriptor_ = journal_.write({{block, filled(1024, 1)}, {block + 1, filled(1024, 2)}});
    commit_ = journal_.commit();
    std::uint32_t sum = ~0U;
    for (std::uint64_t place = descriptor_; place < commit_; ++place) sum = crc32(sum, journal_.block(place));
    set_be(journal_.block(commit_), 12, 0x0104, 2);  // its kind and its length
    set_be(journal_.block(commit_), JournalBytes::kCommitCrc, sum, 4);
  }
  // Bit by bit, the one that counts most first.
  static std::uint32_t crc32(std::uint32_t crc, const Bytes& bytes) {
    for (const std::byte byte : bytes) {
      crc ^= static_cast<std::uint32_t>(byte) << 24;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 31) != 0 ? crc << 1 ^ 0x04c11db7U : crc << 1;
    }
    return crc;
  }

  JournalBytes journal_;
  std::uint64_t descriptor_ = 0, commit_ = 0;
};

TEST_F(SummedTransactions, AreReplayedIfTheyAreRight) {
  EXPECT_EQ(replay(journal_).size(), 4);
}

TEST_F(SummedTransactions, AreReplayedIfTheyHaveNone) {
  std::ranges::fill(std::span(journal_.block(commit_)).subspan(12, 8), std::byte{0});
  EXPECT_EQ(replay(journal_).size(), 4);
}

TEST_F(SummedTransactions, EndTheLogIfTheyAreWrong) {
  const std::vector<std::pair<std::uint64_t, std::size_t>> places{
      {descriptor_, 1000}, {descriptor_ + 1, 0}, {descriptor_ + 2, 500}, {descriptor_ + 2, 1023},
      {commit_, 12},       {commit_, 13},        {commit_, 16},          {commit_, 19}};
  for (const auto& [block, byte] : places) {
    journal_.block(block)[byte] ^= std::byte{1};
    EXPECT_EQ(replay(journal_).size(), 2) << block << ", " << byte;
    journal_.block(block)[byte] ^= std::byte{1};
  }
}

TEST_F(Journals, HaveNothingToReplayWithoutTheFeature) {
  image_.superblock.raw.s_feature_compat = 0;
  JournalBytes journal(32, {});
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  EXPECT_EQ(replay(journal), JournaledBlocks{});
}

// It has no inodes, and says that one of them is a journal.
TEST_F(Journals, HaveNothingToReplayOnAJournalDevice) {
  image_.superblock.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  image_.superblock.raw.s_inodes_per_group = 0;
  EXPECT_EQ(replay(), JournaledBlocks{});
}

TEST_F(Journals, AreReplayedDespiteTheRecoveryFlag) {
  JournalBytes journal(32, {});
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  EXPECT_EQ(replay(journal).size(), 1);
  image_.superblock.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_RECOVER;
  EXPECT_EQ(replay(journal).size(), 1);
}

TEST_F(Journals, MayBeMappedByIndirectBlocks) {
  JournalBytes journal(32, {}, 14);
  journal.write({{500, filled(1024, 1)}, {600, filled(1024, 2)}});
  journal.commit();
  journal.put_into(image_, kRecoveryPlace);
  std::vector<std::uint64_t> map(15);
  for (std::uint64_t i = 0; i < 12; ++i) map[i] = kRecoveryPlace + i;
  map[12] = 50;
  std::vector<std::uint64_t> rest;
  for (std::uint64_t i = 12; i < 32; ++i) rest.push_back(kRecoveryPlace + i);
  image_.put_block(50, pointers(rest));
  put_journal_inode(pointers(map), 0);
  EXPECT_EQ(replay(),
            (JournaledBlocks{{500, {kRecoveryPlace + 15, false}}, {600, {kRecoveryPlace + 16, false}}}));
}

// e2fsck 1.47 replays such a log.
TEST_F(Journals, AreReplayedIfOnlyTheBeginOfTheRingIsWrong) {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{0xffffffff}}) {
    JournalBytes journal(32, {});
    journal.write({{500, filled(1024, 1)}});
    journal.commit();
    set_be(journal.block(0), JournalBytes::kFirst, first, 4);
    EXPECT_EQ(replay(journal), (JournaledBlocks{{500, {kRecoveryPlace + 2, false}}})) << first;
  }
}

TEST_F(Journals, EndIfTheirRingIsInvalid) {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{0xffffffff}}) {
    JournalBytes journal(8, {}, 6);
    journal.write({{500, filled(1024, 1)}, {600, filled(1024, 2)}});
    journal.commit();
    set_be(journal.block(0), JournalBytes::kFirst, first, 4);
    EXPECT_EQ(replay(journal), JournaledBlocks{}) << first;
  }
}

TEST_F(Journals, MayBeInPieces) {
  JournalBytes journal(32, {});
  journal.write({{500, filled(1024, 1)}, {600, filled(1024, 1)}, {700, filled(1024, 1)}});
  journal.commit();
  for (std::uint64_t i = 0; i < 32; ++i) image_.put_block(i < 3 ? 100 + i : 300 + i, journal.block(i));
  put_journal_inode(extents({{0, {100, 3}}, {3, {303, 29}}}));
  EXPECT_EQ(replay(), (JournaledBlocks{{500, {102, false}}, {600, {303, false}}, {700, {304, false}}}));
}

TEST_F(Journals, LeaveOutWhatIsInAHole) {
  JournalBytes journal(32, {});
  journal.write({{500, filled(1024, 1)}, {600, filled(1024, 1)}, {700, filled(1024, 1)}});
  journal.commit();
  journal.put_into(image_, kRecoveryPlace);
  put_journal_inode(extents({{0, {kRecoveryPlace, 3}}, {4, {kRecoveryPlace + 4, 28}}}));
  EXPECT_EQ(replay(), (JournaledBlocks{{500, {102, false}}, {700, {104, false}}}));
}

TEST_F(Journals, EndInAHole) {
  JournalBytes journal(32, {});
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  journal.write({{600, filled(1024, 1)}});
  journal.commit();
  journal.put_into(image_, kRecoveryPlace);
  put_journal_inode(extents({{0, {kRecoveryPlace, 4}}, {5, {kRecoveryPlace + 5, 27}}}));
  EXPECT_EQ(replay(), (JournaledBlocks{{500, {102, false}}}));
}

class JournalsWithABackup : public Journals {
 protected:
  JournalsWithABackup() {
    JournalBytes journal(32, {});
    journal.write({{500, filled(1024, 1)}});
    journal.commit();
    journal.put_into(image_, kRecoveryPlace);
    back_up(extents({{0, {kRecoveryPlace, 32}}}));
  }
  const JournaledBlocks expected_{{500, {kRecoveryPlace + 2, false}}};
};

TEST_F(JournalsWithABackup, AreFoundByItIfTheInodeIsZero) {
  put_journal_inode(Bytes(60), 0);
  EXPECT_EQ(replay(), expected_);
}

TEST_F(JournalsWithABackup, AreFoundByItIfTheInodeMapsSomethingElse) {
  put_journal_inode(extents({{0, {1000, 32}}}));
  EXPECT_EQ(replay(), expected_);
}

TEST_F(JournalsWithABackup, AreFoundByItIfTheInodeTableHasNoBlocks) {
  for (const std::uint64_t place : {std::uint64_t{0}, std::uint64_t{2000}, std::uint64_t{0xffffffff}}) {
    image_.set_descriptor(0, Ext2Image::kInodeTable, place);
    EXPECT_EQ(replay(), expected_) << place;
  }
}

TEST_F(JournalsWithABackup, AreFoundByItIfTheInodesNumberIsInvalid) {
  for (const std::uint32_t number : {0U, 33U, 0xffffffffU}) {
    image_.superblock.raw.s_journal_inum = number;
    EXPECT_EQ(replay(), expected_) << number;
  }
}

TEST_F(JournalsWithABackup, AreFoundByAMapOfPointers) {
  std::vector<std::uint64_t> map(15);
  for (std::uint64_t i = 0; i < 12; ++i) map[i] = kRecoveryPlace + i;
  back_up(pointers(map));
  EXPECT_EQ(replay(), expected_);
}

TEST_F(JournalsWithABackup, AreNotFoundIfItIsOfAnotherType) {
  image_.superblock.raw.s_jnl_backup_type = 2;
  EXPECT_EQ(replay(), JournaledBlocks{});
}

// 80 times the same blocks, as a hostile block map may have it, in a log that goes round.
TEST_F(Journals, AreNoLongerThanTheirFileSystem) {
  JournalBytes journal(1500, {});
  set_be(journal.block(0), JournalBytes::kMaxLength, 0xffffffff, 4);
  journal.write({{500, filled(1024, 1)}});
  const Bytes descriptor = journal.block(1);
  for (std::uint64_t i = 1; i < 1500; ++i) journal.block(i) = descriptor;
  journal.put_into(image_, kRecoveryPlace);
  Bytes node = extent_leaf(std::vector<LeafEntry>(80, {kRecoveryPlace + 1, 1499}));
  for (std::uint64_t i = 0; i < 80; ++i) set_le(node, 12 + 12 * i, 1 + i * 1499, 4);
  image_.put_block(60, node);
  image_.put_block(61, extents({{0, {kRecoveryPlace, 1}}}));
  put_journal_inode(extent_index(1, {61, 60}));
  EXPECT_EQ(replay(), JournaledBlocks{});
  EXPECT_LE(image_.disk.reads().size(), 2000);
}

}  // namespace
}  // namespace e2qcow::ext2
