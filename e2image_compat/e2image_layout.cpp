// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/e2image_layout.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "qcow2/write/layout.h"

namespace e2qcow::compat {

bool E2imageLayout::is_large_enough_for(std::uint64_t blocks, std::uint64_t l2_tables) const {
  const std::uint64_t front = first_refcount_block_offset / geometry.cluster_size() + 1;
  constexpr std::uint64_t kBehindTheEnd = 2;
  const std::uint64_t others = front + blocks + l2_tables + kBehindTheEnd;
  return qcow2::refcount_size(geometry, others).blocks <= refcount_blocks();
}

bool E2imageLayout::is_valid() const {
  return disk_size <= geometry.max_disk_size() &&
         refcount_table_clusters * geometry.cluster_size() <= qcow2::kMaxRefcountTableBytes;
}

E2imageLayout with_refcount_table(const E2imageLayout& plan, std::uint64_t clusters) {
  const std::uint64_t cluster_size = plan.geometry.cluster_size();
  E2imageLayout other = plan;
  other.refcount_table_clusters = clusters;
  other.first_l2_offset = plan.refcount_table_offset + (clusters + 1) * cluster_size;
  other.first_refcount_block_offset = other.first_l2_offset + cluster_size;
  return other;
}

E2imageLayout plan_placement(std::uint32_t block_size, std::uint64_t blocks, std::uint64_t marks) {
  E2imageLayout plan;
  plan.geometry.cluster_bits = static_cast<std::uint32_t>(std::countr_zero(block_size));
  plan.disk_size = blocks * block_size;
  plan.l1_entries = divide_up(plan.disk_size, plan.geometry.l2_reach());
  plan.l1_offset = block_size;
  plan.refcount_table_offset = plan.l1_offset + round_up(plan.l1_entries * sizeof(std::uint64_t), block_size);
  // Eight times the necessary size with blocks of 4 KiB, and not always enough with 1 KiB; but this is
  // e2image's rule.
  const std::uint64_t clusters = marks + plan.refcount_table_offset / block_size;
  return with_refcount_table(plan, std::max<std::uint64_t>(1, clusters >> (plan.geometry.cluster_bits + 5)));
}

E2imagePlacer::E2imagePlacer(const E2imageLayout& plan)
    : cluster_size_(plan.geometry.cluster_size()),
      l2_entries_(plan.geometry.l2_entries()),
      clusters_per_refcount_block_(plan.geometry.refcount_block_entries()),
      next_l2_table_(plan.first_l2_offset),
      refcount_blocks_{plan.first_refcount_block_offset} {
  count_front();
}

// Everything up to the first refcount block; if more refcount blocks are needed, they follow it.
void E2imagePlacer::count_front() {
  std::uint64_t end = refcount_blocks_.front() + cluster_size_;
  for (; next_ < end; next_ += cluster_size_)
    if (count(next_, end)) end += cluster_size_;
}

// True if the cluster is the first that the next refcount block counts.
bool E2imagePlacer::count(std::uint64_t host_offset, std::uint64_t new_block_offset) {
  const std::uint64_t cluster = host_offset / cluster_size_;
  counted_clusters_ = cluster + 1;
  if (cluster / clusters_per_refcount_block_ < refcount_blocks_.size()) return false;
  refcount_blocks_.push_back(new_block_offset);
  return true;
}

// Counts the next cluster. A refcount block that begins with it takes the cluster, and the next is counted.
bool E2imagePlacer::count_next() {
  if (!count(next_, next_)) return false;
  next_ += cluster_size_;
  count(next_, next_);
  return true;
}

E2imagePlacer::Placed E2imagePlacer::place(std::uint64_t block) {
  Placed placed{};
  placed.new_refcount_block = count_next();
  placed.host_offset = next_;
  next_ += cluster_size_;
  if (l2_index_ == block / l2_entries_) return placed;
  l2_index_ = block / l2_entries_;
  placed.new_l2_table = next_l2_table_;
  next_l2_table_ = next_;
  // A refcount block that begins with the next table goes after it.
  if (count(next_, next_ + cluster_size_)) {
    next_ += cluster_size_;
    count(next_, next_);
  }
  next_ += cluster_size_;
  return placed;
}

}  // namespace e2qcow::compat
