// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/chain.h"

#include <gtest/gtest.h>

#include "qcow2/overlay/overlay_format.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"
#include "tests/support/sparse_file.h"

namespace e2qcow::qcow2 {
namespace {

using Kind = Mapping::Kind;

// What a chain has of three clusters.
Bytes read(Chain& chain) {
  Bytes out = filled(3 * kCluster, 0xee);
  chain.read(0, out);
  return out;
}

Bytes clusters(int a, int b, int c) {
  Bytes bytes = filled(kCluster, a);
  for (const int value : {b, c}) {
    const Bytes next = filled(kCluster, value);
    bytes.insert(bytes.end(), next.begin(), next.end());
  }
  return bytes;
}

TEST(Chain, ReadsUnallocatedPartsFromTheNextImage) {
  HandMadeImage top;
  top.add_data(0, 1);
  HandMadeImage base;
  base.add_data(0, 7);
  base.add_data(1, 2);
  const MemoryFile top_file(top.bytes);
  const MemoryFile base_file(base.bytes);
  Reader top_reader(top_file);
  Reader base_reader(base_file);
  Chain chain({&top_reader, &base_reader}, nullptr);
  EXPECT_EQ(read(chain), clusters(1, 2, 0));
  EXPECT_EQ(chain.map(0).depth, 0);
  EXPECT_EQ(chain.map(kCluster).depth, 1);
  EXPECT_EQ(chain.map(2 * kCluster).mapping.kind, Kind::unallocated);
  EXPECT_EQ(chain.next_extent(0), (Extent{0, kCluster}));
  EXPECT_EQ(chain.next_extent(kCluster), (Extent{kCluster, kCluster}));
  EXPECT_EQ(chain.next_extent(2 * kCluster), std::nullopt);
}

TEST(Chain, ZerosHideWhatIsBelow) {
  HandMadeImage top;
  top.set_l2_entry(0, 1);
  HandMadeImage base;
  base.add_data(0, 7);
  base.add_data(1, 2);
  const MemoryFile top_file(top.bytes);
  const MemoryFile base_file(base.bytes);
  Reader top_reader(top_file);
  Reader base_reader(base_file);
  Chain chain({&top_reader, &base_reader}, nullptr);
  EXPECT_EQ(read(chain), clusters(0, 2, 0));
}

TEST(Chain, ReadsZerosPastTheEndOfABackingFile) {
  HandMadeImage top;
  HandMadeImage base;
  base.add_data(0, 7);
  base.add_data(1, 2);
  set_field(base.bytes, field::kDiskSize, kCluster + 100);
  const MemoryFile top_file(top.bytes);
  const MemoryFile base_file(base.bytes);
  Reader top_reader(top_file);
  Reader base_reader(base_file);
  Chain chain({&top_reader, &base_reader}, nullptr);
  Bytes expected = clusters(7, 0, 0);
  std::fill_n(expected.begin() + kCluster, 100, std::byte{2});
  EXPECT_EQ(read(chain), expected);
  EXPECT_EQ(chain.size(), HandMadeImage::kDiskSize);
}

TEST(Chain, EndsInARawDiskWithItsHoles) {
  HandMadeImage top;
  top.add_data(1, 1);
  const MemoryFile top_file(top.bytes);
  SparseFile raw(2 * kCluster);
  raw.put(100, filled(50, 5));
  raw.put(kCluster, filled(kCluster, 9));
  Reader top_reader(top_file);
  Chain chain({&top_reader}, &raw);
  Bytes expected = clusters(0, 1, 0);
  std::fill_n(expected.begin() + 100, 50, std::byte{5});
  EXPECT_EQ(read(chain), expected);
  EXPECT_EQ(chain.next_extent(0), (Extent{100, 50}));
  EXPECT_EQ(chain.next_extent(150), (Extent{kCluster, kCluster}));
  EXPECT_EQ(chain.next_extent(2 * kCluster), std::nullopt);
  EXPECT_EQ(chain.map(10).mapping.kind, Kind::zeros);
  EXPECT_EQ(chain.map(10).mapping.guest, (Extent{10, 90}));
  EXPECT_EQ(chain.map(10).depth, 1);
  EXPECT_EQ(chain.map(2 * kCluster).mapping.kind, Kind::unallocated);
  EXPECT_EQ(chain.map(2 * kCluster).depth, 0);
}

TEST(Chain, IsReadBestInItsLargestClusters) {
  HandMadeImage top;
  MemoryFile base_file;
  create_overlay(base_file, {"none", HandMadeImage::kDiskSize});
  const MemoryFile top_file(top.bytes);
  Reader top_reader(top_file);
  Reader base_reader(base_file);
  EXPECT_EQ(Chain({&top_reader, &base_reader}, nullptr).read_unit(), 4096U);
  EXPECT_EQ(Chain({&base_reader, &top_reader}, nullptr).read_unit(), 4096U);
}

}  // namespace
}  // namespace e2qcow::qcow2
