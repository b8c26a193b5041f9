// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/layout.h"

#include "base/bytes.h"
#include "qcow2/format/digest_seal.h"

namespace e2qcow::qcow2 {

ClusterCount count_clusters(std::span<const Extent> extents, Geometry geometry) {
  ClusterCount count;
  std::uint64_t next_table = 0;  // the first that is not counted yet
  for_each_cluster_run(extents, geometry, [&](std::uint64_t first, std::uint64_t clusters) {
    const std::uint64_t first_table = std::max(first / geometry.l2_entries(), next_table);
    next_table = (first + clusters - 1) / geometry.l2_entries() + 1;
    count.data += clusters;
    count.l2_tables += next_table - first_table;
  });
  return count;
}

// A cluster of zeros is not stored: it may cut a run in two, which takes no more than its digest would.
std::uint64_t digest_bytes(std::optional<DigestKind> digest, std::span<const Extent> extents,
                           Geometry geometry) {
  if (!digest) return 0;
  std::uint64_t runs = 0;
  std::uint64_t clusters = 0;
  std::uint64_t next = ~0ULL;  // continues the last run
  for_each_cluster_run(extents, geometry, [&](std::uint64_t first, std::uint64_t count) {
    if (first != next) ++runs;
    clusters += count;
    next = first + count;
  });
  return digest_area_bytes(*digest, runs, clusters);
}

RefcountSize refcount_size(Geometry geometry, std::uint64_t clusters) {
  RefcountSize size;
  while (true) {
    const std::uint64_t total = clusters + size.blocks + size.table_clusters;
    const std::uint64_t blocks = divide_up(total, geometry.refcount_block_entries());
    const RefcountSize next{blocks, divide_up(blocks * sizeof(std::uint64_t), geometry.cluster_size())};
    if (next == size) return size;
    size = next;
  }
}

Layout plan_layout(Geometry geometry, std::uint64_t disk_size, ClusterCount clusters) {
  const std::uint64_t cluster_size = geometry.cluster_size();
  Layout layout{.geometry = geometry, .disk_size = disk_size, .clusters = clusters};
  layout.l1_entries = std::max<std::uint64_t>(1, divide_up(disk_size, geometry.l2_reach()));
  const std::uint64_t l1_clusters = divide_up(layout.l1_entries * sizeof(std::uint64_t), cluster_size);
  layout.refcounts = refcount_size(geometry, 1 + l1_clusters + clusters.l2_tables + clusters.data);
  layout.l1_offset = cluster_size;
  layout.refcount_table_offset = layout.l1_offset + l1_clusters * cluster_size;
  layout.refcount_blocks_offset =
      layout.refcount_table_offset + layout.refcounts.table_clusters * cluster_size;
  layout.l2_offset = layout.refcount_blocks_offset + layout.refcounts.blocks * cluster_size;
  layout.data_offset = layout.l2_offset + clusters.l2_tables * cluster_size;
  return layout;
}

bool Layout::is_valid() const {
  return disk_size <= geometry.max_disk_size() &&
         refcounts.table_clusters * geometry.cluster_size() <= kMaxRefcountTableBytes;
}

}  // namespace e2qcow::qcow2
