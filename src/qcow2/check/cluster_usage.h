// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "qcow2/format/cluster_use.h"

namespace e2qcow::qcow2 {

// The use of each host cluster, the references to it, and whether its refcount is one. Only pages with known
// clusters take memory, two bytes a cluster: the file may be sparse and huge.
class ClusterUsage {
 public:
  static constexpr std::uint64_t kPageClusters = 64;

  ClusterUse use(std::uint64_t cluster) const;
  std::uint64_t references(std::uint64_t cluster) const;
  bool refcount_is_one(std::uint64_t cluster) const;

  void set_use(std::uint64_t cluster, ClusterUse use);
  void add_references(std::uint64_t cluster, std::uint64_t count);
  void set_refcount_is_one(std::uint64_t cluster);

  // False only if nothing is known of the whole page that holds the cluster.
  bool knows_page_of(std::uint64_t cluster) const { return find(cluster) != nullptr; }
  // The first clusters of all pages with known clusters, ascending.
  std::vector<std::uint64_t> pages() const;

 private:
  struct Cluster {
    std::uint16_t use : 4;
    std::uint16_t refcount_is_one : 1;
    std::uint16_t references : 11;  // kMany: the number is in many_
  };
  static_assert(sizeof(Cluster) == 2);
  static constexpr std::uint64_t kMany = (1 << 11) - 1;
  using Page = std::array<Cluster, kPageClusters>;

  const Cluster* find(std::uint64_t cluster) const;
  Cluster& at(std::uint64_t cluster);

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  std::unordered_map<std::uint64_t, std::uint64_t> many_;  // references, by cluster
  // Most look-ups are for the same page as the one before.
  mutable std::uint64_t last_index_ = ~0ULL;
  mutable Page* last_page_ = nullptr;
};

}  // namespace e2qcow::qcow2
