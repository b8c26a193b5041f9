// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/log_parts.h"

#include <gtest/gtest.h>

#include "tests/support/journal_bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kLogPlace = 100;  // of the journal
constexpr std::uint64_t kLogLength = 20;
using Kind = LogPart::Kind;

class Parts : public testing::Test {
 protected:
  LogParts found(const JournalBytes& journal) {
    journal.put_into(image_, kLogPlace);
    const Filesystem filesystem = image_.open();
    const auto log = JournalLog::open(filesystem, {{kLogPlace, journal.length()}});
    return parts_of_log(*log);
  }
  static std::vector<Kind> kinds(const LogParts& log) {
    std::vector<Kind> kinds;
    for (const LogPart& part : log.parts) kinds.push_back(part.kind);
    return kinds;
  }

  Ext2Image image_{1024, 2000};
};

TEST_F(Parts, AreAllBlocksOfTheTransactions) {
  JournalBytes journal(kLogLength, {});
  journal.write({{500, filled(1024, 1)}, {501, filled(1024, 2)}});
  journal.revoke({600});
  journal.commit();
  journal.write({{502, filled(1024, 3)}});
  journal.commit();
  const LogParts log = found(journal);
  EXPECT_EQ(kinds(log), (std::vector{Kind::descriptor, Kind::copy, Kind::copy, Kind::revoke, Kind::commit,
                                     Kind::descriptor, Kind::copy, Kind::commit}));
  EXPECT_EQ(log.next_sequence, 9);
  EXPECT_EQ(log.parts[0].copies, 2);
  EXPECT_EQ(log.parts[1].tag.block, 500);
  EXPECT_EQ(log.parts[2].tag.block, 501);
  EXPECT_EQ(log.parts[2].device_block, kLogPlace + 3);
  EXPECT_EQ(log.parts[4].transaction_begin, 0);
  EXPECT_EQ(log.parts[7].transaction_begin, 5);
}

TEST_F(Parts, EndAtAnOlderTransaction) {
  JournalBytes journal(kLogLength, {});
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  const std::uint64_t second = journal.write({{501, filled(1024, 2)}});
  set_be(journal.block(second), 8, 6, 4);
  const LogParts log = found(journal);
  EXPECT_EQ(log.parts.size(), 3);
  EXPECT_EQ(log.next_sequence, 8);
}

TEST_F(Parts, IncludeATransactionWithoutItsEnd) {
  JournalBytes journal(kLogLength, {});
  journal.write({{500, filled(1024, 1)}});
  EXPECT_EQ(kinds(found(journal)), (std::vector{Kind::descriptor, Kind::copy}));
}

// Another program may not look at them.
TEST_F(Parts, DoNotEndAtAWrongChecksum) {
  JournalBytes journal(kLogLength, {.checksums = 3});
  const std::uint64_t first = journal.write({{500, filled(1024, 1)}});
  journal.commit();
  journal.block(first)[JournalBytes::kBlockCrc] ^= std::byte{1};
  journal.block(first + 1)[0] ^= std::byte{1};
  EXPECT_EQ(found(journal).parts.size(), 3);
}

TEST_F(Parts, ContinueAtTheBeginningOfTheRing) {
  JournalBytes journal(kLogLength, {}, kLogLength - 2);
  journal.write({{500, filled(1024, 1)}, {501, filled(1024, 2)}});
  journal.commit();
  const LogParts log = found(journal);
  ASSERT_EQ(log.parts.size(), 4);
  EXPECT_EQ(log.parts[1].device_block, kLogPlace + kLogLength - 1);
  EXPECT_EQ(log.parts[2].device_block, kLogPlace + 1);
}

TEST_F(Parts, PassNoBlockTwice) {
  JournalBytes journal(4, {});
  const std::uint64_t place = journal.write({{500, filled(1024, 1)}, {501, filled(1024, 2)}});
  set_be(journal.block(place), JournalBytes::kTags + 8 + 16 + 6, 2, 2);  // not the last tag
  EXPECT_EQ(found(journal).parts.size(), 3);
}

TEST_F(Parts, CountSequencesFromZeroAfterTheLast) {
  JournalBytes journal(kLogLength, {}, 1, 0xffff'ffff);
  journal.write({{500, filled(1024, 1)}});
  journal.commit();
  EXPECT_EQ(found(journal).next_sequence, 0);
}

}  // namespace
}  // namespace e2qcow::ext2
