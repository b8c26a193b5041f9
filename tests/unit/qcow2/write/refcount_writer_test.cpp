// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/refcount_writer.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <map>

#include "base/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"
#include "tests/support/random.h"

namespace e2qcow::qcow2 {
namespace {

// Header, L1, refcount table, one refcount block, one L2 table and three data clusters of 512 bytes.
constexpr Layout kSmallLayout{.geometry = {9},
                              .disk_size = 32 * 1024,
                              .l1_entries = 1,
                              .l1_offset = 512,
                              .refcount_table_offset = 1024,
                              .refcounts = {.blocks = 1, .table_clusters = 1},
                              .refcount_blocks_offset = 1536,
                              .l2_offset = 2048,
                              .data_offset = 2560,
                              .clusters = {.data = 3, .l2_tables = 1}};

Bytes numbers(std::initializer_list<int> values, int width) {
  Bytes bytes;
  for (const int value : values) put_be(bytes, static_cast<std::uint64_t>(value), width);
  return bytes;
}

TEST(RefcountWriter, WritesABlockAndATableThatCountThemselves) {
  MemoryFile file(filled(4096, 0xee));
  RefcountWriter refcounts(file, kSmallLayout);
  refcounts.add(0, 2);
  refcounts.add(4, 4);
  refcounts.finish();
  Bytes table = numbers({1536}, 8);
  table.resize(512);
  EXPECT_EQ(part_of(file.data(), 1024, 512), table);
  Bytes block = numbers({1, 1, 1, 1, 1, 1, 1, 1}, 2);
  block.resize(512);
  EXPECT_EQ(part_of(file.data(), 1536, 512), block);
  EXPECT_EQ(part_of(file.data(), 0, 1024), filled(1024, 0xee));
  EXPECT_EQ(part_of(file.data(), 2048, 2048), filled(2048, 0xee));
}

TEST(RefcountWriter, CountsNothingForAClusterThatIsOnlyReserved) {
  MemoryFile file(Bytes(4096));
  RefcountWriter refcounts(file, kSmallLayout);
  refcounts.add(0, 2);
  refcounts.add(4, 2);
  refcounts.finish();
  EXPECT_EQ(part_of(file.data(), 1536, 16), numbers({1, 1, 1, 1, 1, 1, 0, 0}, 2));
}

TEST(RefcountWriter, CountsEveryReferenceToACluster) {
  MemoryFile file(Bytes(4096));
  RefcountWriter refcounts(file, kSmallLayout);
  for (int i = 0; i < 300; ++i) refcounts.add(5, 1);
  refcounts.add(5, 2);
  EXPECT_EQ(refcounts.references(5), 301);
  EXPECT_EQ(refcounts.references(6), 1);
  EXPECT_EQ(refcounts.references(7), 0);
  refcounts.finish();
  EXPECT_EQ(part_of(file.data(), 1536 + 10, 4), numbers({301, 1}, 2));
}

// A block counts 256 clusters of 512 bytes.
Layout layout_of(std::uint64_t data, std::uint64_t l2_tables) {
  return plan_layout(Geometry{9}, 1 << 20, {.data = data, .l2_tables = l2_tables});
}

// Refcounts as the specification reads them from table and blocks.
std::map<std::uint64_t, std::uint64_t> counts_in(const Bytes& image, const Layout& layout) {
  std::map<std::uint64_t, std::uint64_t> counts;
  for (std::uint64_t index = 0; index < layout.refcounts.table_clusters * 64; ++index) {
    const auto block = load_be<std::uint64_t>(image, layout.refcount_table_offset + index * 8);
    for (std::uint64_t i = 0; block != 0 && i < 256; ++i) {
      const auto count = load_be<std::uint16_t>(image, block + i * 2);
      if (count != 0) counts[index * 256 + i] = count;
    }
  }
  return counts;
}

void add_one_to_each(std::map<std::uint64_t, std::uint64_t>& counts, std::uint64_t first,
                     std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) ++counts[first + i];
}

TEST(RefcountWriter, CountsTheBlocksThatAreInUseAndNoOthers) {
  const Layout layout = layout_of(100'000, 1000);
  ASSERT_GT(layout.refcounts.blocks, 256);  // so that blocks count blocks
  Random random;
  for (int round = 0; round < 20; ++round) {
    MemoryFile file(Bytes(layout.data_offset));
    RefcountWriter refcounts(file, layout);
    std::map<std::uint64_t, std::uint64_t> expected;
    const std::uint64_t data = layout.data_offset / 512;
    for (std::uint64_t part = 0; part < random.below(4); ++part) {
      const std::uint64_t first = data + random.below(99'000);
      const std::uint64_t count = random.between(1, 1000);
      refcounts.add(first, count);
      add_one_to_each(expected, first, count);
    }
    refcounts.add(0, 1);
    add_one_to_each(expected, 0, 1);
    refcounts.finish();
    add_one_to_each(expected, layout.refcount_table_offset / 512, layout.refcounts.table_clusters);
    for (std::uint64_t i = 0; i < layout.refcounts.blocks; ++i) {
      const auto block = load_be<std::uint64_t>(file.data(), layout.refcount_table_offset + i * 8);
      if (block != 0) add_one_to_each(expected, block / 512, 1);
    }
    ASSERT_EQ(counts_in(file.data(), layout), expected);
  }
}

TEST(RefcountWriter, WritesTheSameBytesWhenItFlushesOnTheWay) {
  const Layout layout = layout_of(5000, 10);
  Random random;
  MemoryFile at_once(Bytes(layout.end()));
  MemoryFile on_the_way(Bytes(layout.end()));
  RefcountWriter expected(at_once, layout);
  RefcountWriter refcounts(on_the_way, layout);
  std::uint64_t next = layout.data_offset / 512;
  while (next < layout.end() / 512) {
    const std::uint64_t count = std::min(random.between(1, 400), layout.end() / 512 - next);
    expected.add(next, count);
    refcounts.add(next, count);
    next += count;
    refcounts.flush_before(next);
  }
  for (RefcountWriter* writer : {&expected, &refcounts}) {
    writer->add(0, layout.refcount_table_offset / 512);
    writer->add(layout.l2_offset / 512, 10);
    writer->finish();
  }
  EXPECT_TRUE(on_the_way.data() == at_once.data());
}

TEST(RefcountWriter, FlushesOnlyBlocksThatAreComplete) {
  const Layout layout = layout_of(5000, 10);
  MemoryFile file(Bytes(layout.end()));
  RefcountWriter refcounts(file, layout);
  refcounts.add(256, 512);
  refcounts.flush_before(767);
  EXPECT_EQ(part_of(file.data(), layout.refcount_blocks_offset, 512), Bytes(512));
  EXPECT_EQ(load_be<std::uint16_t>(file.data(), layout.refcount_blocks_offset + 512), 1);
  EXPECT_EQ(part_of(file.data(), layout.refcount_blocks_offset + 1024, 512), Bytes(512));
  refcounts.flush_before(768);
  EXPECT_EQ(load_be<std::uint16_t>(file.data(), layout.refcount_blocks_offset + 1024 + 510), 1);
}

TEST(RefcountWriter, RefusesClustersThatTheLayoutHasNoBlockFor) {
  MemoryFile file(Bytes(4096));
  RefcountWriter refcounts(file, kSmallLayout);
  refcounts.add(255, 1);
  EXPECT_EQ(code_of([&] { refcounts.add(255, 2); }), Errc::changed);
}

TEST(RefcountWriter, RefusesReferencesToClustersWhoseCountsWereWritten) {
  const Layout layout = layout_of(5000, 10);
  MemoryFile file(Bytes(layout.end()));
  RefcountWriter refcounts(file, layout);
  refcounts.add(256, 256);
  refcounts.flush_before(512);
  EXPECT_EQ(code_of([&] { refcounts.add(300, 1); }), Errc::refused);
}

TEST(RefcountWriter, KeepsTheBlockOfTheTablesInFrontUntilTheEnd) {
  const Layout layout = layout_of(5000, 10);
  ASSERT_LT(layout.data_offset / 512, 256);
  MemoryFile file(Bytes(layout.end()));
  RefcountWriter refcounts(file, layout);
  refcounts.add(layout.data_offset / 512, 1000);
  refcounts.flush_before(layout.data_offset / 512 + 1000);
  EXPECT_EQ(part_of(file.data(), layout.refcount_blocks_offset, 512), Bytes(512));
  EXPECT_EQ(refcounts.references(255), 1);
}

}  // namespace
}  // namespace e2qcow::qcow2
