// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay_tables.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "qcow2/format/read_header.h"
#include "qcow2/overlay/overlay_format.h"
#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"
#include "tests/unit/qcow2/overlay/overlay_cluster.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kReach = 2 << 20;  // of an L2 table: 512 entries
constexpr std::uint64_t kTablesDiskSize = 5 * kReach + 100;
constexpr std::uint64_t kL1 = kOverlayCluster;
using Kind = Mapping::Kind;

Header create(MemoryFile& file) {
  create_overlay(file, {"base.qcow2", kTablesDiskSize});
  return read_header(file);
}

struct NewTables {
  void write() {
    space.write();
    tables.write([] {});
  }
  std::uint64_t in_file(std::uint64_t offset) const { return load_be<std::uint64_t>(file.data(), offset); }

  MemoryFile file;
  Header header = create(file);
  OverlaySpace space{file, header};
  OverlayTables tables{file, header, space};
};

TEST(OverlayTables, HaveNoClustersAtFirst) {
  NewTables overlay;
  EXPECT_EQ(overlay.tables.entry(3 * kReach + 5).raw(), 0U);
  const Mapping mapping = overlay.tables.map(700);
  EXPECT_EQ(mapping.kind, Kind::unallocated);
  EXPECT_EQ(mapping.guest, (Extent{700, kTablesDiskSize - 700}));
}

TEST(OverlayTables, MapClustersThatFollowEachOtherInOnePiece) {
  NewTables overlay;
  overlay.tables.set(kReach, L2Entry::to_cluster(100 * kOverlayCluster));
  overlay.tables.set(kReach + kOverlayCluster, L2Entry::to_cluster(101 * kOverlayCluster));
  overlay.tables.set(kReach + 2 * kOverlayCluster, L2Entry::to_cluster(103 * kOverlayCluster));
  overlay.tables.set(kReach + 3 * kOverlayCluster, L2Entry::to_zeros(0));
  overlay.tables.set(kReach + 4 * kOverlayCluster, L2Entry::to_zeros(200 * kOverlayCluster));
  const Mapping data = overlay.tables.map(kReach + 10);
  EXPECT_EQ(data.kind, Kind::data);
  EXPECT_EQ(data.guest, (Extent{kReach + 10, 2 * kOverlayCluster - 10}));
  EXPECT_EQ(data.host_offset, 100 * kOverlayCluster + 10);
  EXPECT_EQ(overlay.tables.map(kReach + 2 * kOverlayCluster).guest,
            (Extent{kReach + 2 * kOverlayCluster, kOverlayCluster}));
  const Mapping zeros = overlay.tables.map(kReach + 3 * kOverlayCluster);
  EXPECT_EQ(zeros.kind, Kind::zeros);
  EXPECT_EQ(zeros.guest, (Extent{kReach + 3 * kOverlayCluster, 2 * kOverlayCluster}));
  EXPECT_EQ(overlay.tables.map(kReach + 5 * kOverlayCluster).guest,
            (Extent{kReach + 5 * kOverlayCluster, kReach - 5 * kOverlayCluster}));
}

TEST(OverlayTables, MapWhatHasNoTableUpToTheNextTableOrTheEndOfTheDisk) {
  NewTables overlay;
  overlay.tables.set(3 * kReach + kOverlayCluster, L2Entry::to_cluster(100 * kOverlayCluster));
  EXPECT_EQ(overlay.tables.map(kReach / 2).guest, (Extent{kReach / 2, 3 * kReach - kReach / 2}));
  EXPECT_EQ(overlay.tables.map(4 * kReach).guest, (Extent{4 * kReach, kReach + 100}));
  overlay.tables.set(5 * kReach, L2Entry::to_cluster(101 * kOverlayCluster));
  EXPECT_EQ(overlay.tables.map(5 * kReach).guest, (Extent{5 * kReach, 100}));
}

TEST(OverlayTables, TakeOneClusterForEachNewTable) {
  NewTables overlay;
  const std::uint64_t next = overlay.space.take(1).offset + kOverlayCluster;
  overlay.tables.set(0, L2Entry::to_cluster(100 * kOverlayCluster));
  overlay.tables.set(kReach - kOverlayCluster, L2Entry::to_cluster(101 * kOverlayCluster));
  overlay.tables.set(2 * kReach, L2Entry::to_cluster(102 * kOverlayCluster));
  EXPECT_EQ(overlay.space.take(1).offset, next + 2 * kOverlayCluster);
  EXPECT_EQ(overlay.tables.changes(), 3U);
}

TEST(OverlayTables, AreInTheFileOnceTheyAreWritten) {
  NewTables overlay;
  const std::uint64_t entry = L2Entry::to_cluster(100 * kOverlayCluster).raw();
  overlay.tables.set(kReach + 7 * kOverlayCluster, L2Entry(entry));
  EXPECT_EQ(overlay.in_file(kL1 + 8), 0U);
  overlay.write();
  EXPECT_EQ(overlay.tables.changes(), 0U);
  const std::uint64_t l2_offset = L1Entry(overlay.in_file(kL1 + 8)).host_offset();
  EXPECT_EQ(overlay.in_file(kL1 + 8), l2_offset | 1ULL << 63);
  EXPECT_EQ(overlay.in_file(l2_offset + 7 * 8), entry);
  OverlayTables again(overlay.file, overlay.header, overlay.space);
  EXPECT_EQ(again.entry(kReach + 7 * kOverlayCluster).raw(), entry);
  EXPECT_EQ(again.entry(kReach).raw(), 0U);
}

TEST(OverlayTables, WriteOnlyEntriesThatChanged) {
  NewTables overlay;
  overlay.tables.set(0, L2Entry::to_cluster(100 * kOverlayCluster));
  overlay.tables.set(9 * kOverlayCluster, L2Entry::to_cluster(101 * kOverlayCluster));
  overlay.write();
  const std::uint64_t l2_offset = L1Entry(overlay.in_file(kL1)).host_offset();
  store_be(std::span(overlay.file.data()), l2_offset + 9 * 8, ~0ULL);
  overlay.tables.set(2 * kOverlayCluster, L2Entry::to_cluster(102 * kOverlayCluster));
  overlay.write();
  EXPECT_EQ(overlay.in_file(l2_offset + 9 * 8), ~0ULL);
  EXPECT_EQ(L2Entry(overlay.in_file(l2_offset + 2 * 8)).host_offset(), 102 * kOverlayCluster);
}

// The barrier syncs: nothing may be in the file before that which it refers to.
TEST(OverlayTables, CallTheBarrierBeforeL2TablesAndBeforeNewL1Entries) {
  NewTables overlay;
  overlay.tables.set(0, L2Entry::to_cluster(100 * kOverlayCluster));
  overlay.space.write();
  std::vector<Bytes> at_barrier;
  overlay.tables.write([&] { at_barrier.push_back(overlay.file.data()); });
  ASSERT_EQ(at_barrier.size(), 2U);
  const std::uint64_t l2_offset = L1Entry(overlay.in_file(kL1)).host_offset();
  EXPECT_LE(at_barrier[0].size(), l2_offset);
  EXPECT_EQ(L2Entry(load_be<std::uint64_t>(at_barrier[1], l2_offset)).host_offset(), 100 * kOverlayCluster);
  EXPECT_EQ(load_be<std::uint64_t>(at_barrier[1], kL1), 0U);
  at_barrier.clear();
  overlay.tables.set(0, L2Entry::to_zeros(100 * kOverlayCluster));
  overlay.tables.write([&] { at_barrier.push_back(overlay.file.data()); });
  EXPECT_EQ(at_barrier.size(), 1U);  // no new L1 entry
}

}  // namespace
}  // namespace e2qcow::qcow2
