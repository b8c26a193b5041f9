// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay_space.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "qcow2/check/checker.h"
#include "qcow2/format/read_header.h"
#include "qcow2/overlay/overlay_format.h"
#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"
#include "tests/unit/qcow2/overlay/overlay_cluster.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kBlockClusters = 2048;  // that a refcount block counts: 4096 bytes, 16 bits each
// Header, L1 table, refcount table, refcount block.
constexpr std::uint64_t kUsed = 4;

struct NewOverlay {
  NewOverlay() { create_overlay(file, {"base.qcow2", 64 << 20}); }
  OverlaySpace space() { return {file, read_header(file)}; }
  // What `check` says when the file has all that was taken.
  CheckResult check_with(std::uint64_t clusters) {
    file.data().resize(clusters * kOverlayCluster);
    return check(file);
  }
  MemoryFile file;
};

TEST(OverlaySpace, TakesClustersAfterTheEndOfTheFile) {
  NewOverlay overlay;
  OverlaySpace space = overlay.space();
  EXPECT_EQ(space.take(1), (Extent{kUsed * kOverlayCluster, kOverlayCluster}));
  EXPECT_EQ(space.take(3), (Extent{(kUsed + 1) * kOverlayCluster, 3 * kOverlayCluster}));
}

TEST(OverlaySpace, TakesNoPartOfAClusterThatTheFileHas) {
  NewOverlay overlay;
  overlay.file.data().resize(kUsed * kOverlayCluster + 1);
  EXPECT_EQ(overlay.space().take(1).offset, (kUsed + 1) * kOverlayCluster);
}

TEST(OverlaySpace, ChangesNothingInTheFileUntilItIsWritten) {
  NewOverlay overlay;
  const Bytes before = overlay.file.data();
  OverlaySpace space = overlay.space();
  space.take(3000);
  space.take(1);
  EXPECT_EQ(overlay.file.data(), before);
  space.write();
  EXPECT_NE(overlay.file.data(), before);
}

TEST(OverlaySpace, CountsWhatWasTaken) {
  NewOverlay overlay;
  OverlaySpace space = overlay.space();
  space.take(2);
  space.write();
  space.take(5);
  space.write();
  const CheckResult result = overlay.check_with(kUsed + 7);
  EXPECT_EQ(result.corruptions, 0U);
  EXPECT_EQ(result.leaks, 7U);  // counted, and nothing refers to them yet
}

TEST(OverlaySpace, BeginsARefcountBlockInTheFirstClusterThatItCounts) {
  NewOverlay overlay;
  OverlaySpace space = overlay.space();
  EXPECT_EQ(space.take(5000), (Extent{kUsed * kOverlayCluster, (kBlockClusters - kUsed) * kOverlayCluster}));
  EXPECT_EQ(space.take(10), (Extent{(kBlockClusters + 1) * kOverlayCluster, 10 * kOverlayCluster}));
  space.write();
  const CheckResult result = overlay.check_with(kBlockClusters + 11);
  EXPECT_EQ(result.corruptions, 0U);
  EXPECT_EQ(result.leaks, kBlockClusters - kUsed + 10);
}

TEST(OverlaySpace, ContinuesInABlockThatIsInTheFile) {
  NewOverlay overlay;
  OverlaySpace first = overlay.space();
  first.take(2);
  first.write();
  overlay.file.data().resize((kUsed + 2) * kOverlayCluster);
  OverlaySpace second = overlay.space();
  EXPECT_EQ(second.take(1).offset, (kUsed + 2) * kOverlayCluster);
  second.write();
  const CheckResult result = overlay.check_with(kUsed + 3);
  EXPECT_EQ(result.corruptions, 0U);
  EXPECT_EQ(result.leaks, 3U);
}

// A new block without an entry in the table is a cluster in vain; an entry without a block would be damage.
TEST(OverlaySpace, WritesNewBlocksBeforeTheTableThatLeadsToThem) {
  for (std::uint64_t kill_at = 0; kill_at < 4; ++kill_at) {
    NewOverlay overlay;
    OverlaySpace space = overlay.space();
    space.take(5000);
    space.take(10);
    overlay.file.fail_at_write(kill_at);
    code_of([&] { space.write(); });
    EXPECT_EQ(overlay.check_with(kBlockClusters + 11).corruptions, 0U) << kill_at;
  }
}

TEST(OverlaySpace, RefusesMoreThanTheRefcountTableHasEntriesFor) {
  NewOverlay overlay;
  OverlaySpace space = overlay.space();
  const std::uint64_t entries = kOverlayCluster / 8;
  const auto code = code_of([&] {
    for (std::uint64_t block = 0; block < entries; ++block) space.take(kBlockClusters);
  });
  EXPECT_EQ(code, std::error_code());
  EXPECT_EQ(code_of([&] { space.take(1); }), Errc::unsupported);
}

}  // namespace
}  // namespace e2qcow::qcow2
