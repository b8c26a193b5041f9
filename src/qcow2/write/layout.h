// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "base/digest.h"
#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// The amount of a disk that an image stores.
struct ClusterCount {
  std::uint64_t data = 0;       // clusters with data in them
  std::uint64_t l2_tables = 0;  // tables needed for them
  friend bool operator==(const ClusterCount&, const ClusterCount&) = default;
};

// Calls `visit(first, count)` for the runs of clusters that the extents touch, each cluster once, in order.
// `extents` are guest bytes, ascending, without overlaps and not empty.
template <typename Visit>
void for_each_cluster_run(std::span<const Extent> extents, Geometry geometry, Visit visit) {
  std::uint64_t next = 0;  // the first cluster that was not visited
  for (const Extent& extent : extents) {
    const std::uint64_t first = std::max(extent.offset >> geometry.cluster_bits, next);
    next = std::max(next, ((extent.end() - 1) >> geometry.cluster_bits) + 1);
    if (first < next) visit(first, next - first);
  }
}

ClusterCount count_clusters(std::span<const Extent> extents, Geometry geometry);

// What digests of these clusters take in an image, at most; nothing if there is no digest.
std::uint64_t digest_bytes(std::optional<DigestKind> digest, std::span<const Extent> extents,
                           Geometry geometry);

struct RefcountSize {
  std::uint64_t blocks = 0;
  std::uint64_t table_clusters = 0;
  friend bool operator==(const RefcountSize&, const RefcountSize&) = default;
};

// The size of the refcounts for `clusters` other clusters and for themselves.
RefcountSize refcount_size(Geometry geometry, std::uint64_t clusters);

// The host offset of everything. The parts follow each other as below; each is a whole number of clusters.
//   | header | L1 | refcount table | refcount blocks | L2 tables | data |
// The counts are upper bounds: clusters that turn out to be zero are not stored.
struct Layout {
  Geometry geometry{};
  std::uint64_t disk_size = 0;
  std::uint64_t l1_entries = 0;
  std::uint64_t l1_offset = 0;
  std::uint64_t refcount_table_offset = 0;
  RefcountSize refcounts{};
  std::uint64_t refcount_blocks_offset = 0;
  std::uint64_t l2_offset = 0;
  std::uint64_t data_offset = 0;
  ClusterCount clusters{};

  std::uint64_t end() const { return data_offset + clusters.data * geometry.cluster_size(); }
  // False if QEMU would not open the image, because its L1 or refcount table is too large.
  bool is_valid() const;
};

Layout plan_layout(Geometry geometry, std::uint64_t disk_size, ClusterCount clusters);

}  // namespace e2qcow::qcow2
