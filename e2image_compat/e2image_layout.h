// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "qcow2/format/format.h"

namespace e2qcow::compat {

// The front of an image as e2image lays it out, in clusters as large as a block:
//   | header | L1 | refcount table | unused | first L2 table | first refcount block | data, and other tables
//   ...
struct E2imageLayout {
  qcow2::Geometry geometry{};
  std::uint64_t disk_size = 0;
  std::uint64_t l1_entries = 0;
  std::uint64_t l1_offset = 0;  // host offsets
  std::uint64_t refcount_table_offset = 0;
  std::uint64_t refcount_table_clusters = 0;
  std::uint64_t first_l2_offset = 0;
  std::uint64_t first_refcount_block_offset = 0;

  // The number of refcount blocks that the table has room for.
  std::uint64_t refcount_blocks() const {
    return refcount_table_clusters * geometry.cluster_size() / sizeof(std::uint64_t);
  }
  // Whether that is enough for this many blocks in this many L2 tables, however many of them are zero.
  bool is_large_enough_for(std::uint64_t blocks, std::uint64_t l2_tables) const;
  // False if QEMU would not open the image: L1 or refcount table too large.
  bool is_valid() const;
};

// `marks` is the number of blocks as e2image counts; see ChosenBlocks.
E2imageLayout plan_placement(std::uint32_t block_size, std::uint64_t blocks, std::uint64_t marks);
// The same with a refcount table of this many clusters.
E2imageLayout with_refcount_table(const E2imageLayout& plan, std::uint64_t clusters);

// The offsets at which e2image puts one block after the other. An L2 table comes after the first block of the
// table before it, and a refcount block before the clusters that it counts. All clusters are counted once, in
// order: also an unused one before the first L2 table, and two at the end, where the next table would be.
class E2imagePlacer {
 public:
  explicit E2imagePlacer(const E2imageLayout& plan);

  struct Placed {
    std::uint64_t host_offset;
    std::optional<std::uint64_t> new_l2_table;  // the host offset of the table that begins with this block
    bool new_refcount_block = false;            // one begins just before
  };
  // Blocks come in ascending order.
  Placed place(std::uint64_t block);
  // After the last block.
  void finish() { count(next_, next_); }

  std::uint64_t counted_clusters() const { return counted_clusters_; }
  // Host offsets, in the order of the clusters they count.
  const std::vector<std::uint64_t>& refcount_blocks() const { return refcount_blocks_; }

 private:
  bool count(std::uint64_t host_offset, std::uint64_t new_block_offset);
  bool count_next();
  void count_front();

  std::uint64_t cluster_size_;
  std::uint64_t l2_entries_;
  std::uint64_t clusters_per_refcount_block_;
  std::uint64_t next_ = 0;  // host offset of the next cluster to use
  std::uint64_t next_l2_table_;
  std::optional<std::uint64_t> l2_index_;
  std::uint64_t counted_clusters_ = 0;
  std::vector<std::uint64_t> refcount_blocks_;
};

}  // namespace e2qcow::compat
