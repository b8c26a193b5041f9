// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "qcow2/check/cluster_usage.h"
#include "qcow2/check/image_check.h"

namespace e2qcow::qcow2 {

// As many refcounts as a page of the cluster usage has clusters; no refcount block has fewer.
using RefcountPage = std::array<std::uint64_t, ClusterUsage::kPageClusters>;

// `bytes` of a refcount block as refcounts of 2^refcount_order bits. qcow2 spec, "Refcount block entry".
RefcountPage decode_refcounts(std::span<const std::byte> bytes, std::uint32_t refcount_order);

// The refcounts as they are stored in the image.
class RefcountCheck {
 public:
  explicit RefcountCheck(ImageCheck& image) : image_(image) {}

  // Counts the references to the refcount table and blocks, and notes which refcounts are one. Must come
  // before every check of COPIED flags.
  void add_tables();

  // Compares the refcounts with the references, after all are counted.
  void compare();

 private:
  struct Block {
    std::uint64_t host_offset;
    std::uint64_t first_cluster;  // of those it counts
  };

  template <typename Visit>
  void for_each_page(Visit visit) const;
  void compare(std::uint64_t first_cluster, const RefcountPage& refcounts);

  ImageCheck& image_;
  std::vector<Block> blocks_;    // that can be read, by first_cluster
  std::vector<bool> has_block_;  // by index in the refcount table
};

}  // namespace e2qcow::qcow2
