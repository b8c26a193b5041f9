// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/cluster_usage.h"

#include <algorithm>

namespace e2qcow::qcow2 {

const ClusterUsage::Cluster* ClusterUsage::find(std::uint64_t cluster) const {
  const std::uint64_t index = cluster / kPageClusters;
  if (index != last_index_) {
    const auto page = pages_.find(index);
    if (page == pages_.end()) return nullptr;
    last_index_ = index;
    last_page_ = page->second.get();
  }
  return &(*last_page_)[cluster % kPageClusters];
}

ClusterUsage::Cluster& ClusterUsage::at(std::uint64_t cluster) {
  const std::uint64_t index = cluster / kPageClusters;
  if (index != last_index_) {
    std::unique_ptr<Page>& page = pages_[index];
    if (!page) page = std::make_unique<Page>();
    last_index_ = index;
    last_page_ = page.get();
  }
  return (*last_page_)[cluster % kPageClusters];
}

ClusterUse ClusterUsage::use(std::uint64_t cluster) const {
  const Cluster* found = find(cluster);
  return found ? static_cast<ClusterUse>(found->use) : ClusterUse::none;
}

std::uint64_t ClusterUsage::references(std::uint64_t cluster) const {
  const Cluster* found = find(cluster);
  if (!found) return 0;
  return found->references == kMany ? many_.at(cluster) : found->references;
}

bool ClusterUsage::refcount_is_one(std::uint64_t cluster) const {
  const Cluster* found = find(cluster);
  return found && found->refcount_is_one != 0;
}

void ClusterUsage::set_use(std::uint64_t cluster, ClusterUse use) {
  at(cluster).use = static_cast<std::uint16_t>(use) & 0xf;
}

void ClusterUsage::add_references(std::uint64_t cluster, std::uint64_t count) {
  Cluster& known = at(cluster);
  if (count < kMany - known.references) {
    known.references = (known.references + count) & kMany;
    return;
  }
  const std::uint64_t before = known.references;
  many_.try_emplace(cluster, before).first->second += count;
  known.references = kMany;
}

void ClusterUsage::set_refcount_is_one(std::uint64_t cluster) {
  at(cluster).refcount_is_one = 1;
}

std::vector<std::uint64_t> ClusterUsage::pages() const {
  std::vector<std::uint64_t> first_clusters;
  first_clusters.reserve(pages_.size());
  for (const auto& [index, page] : pages_) first_clusters.push_back(index * kPageClusters);
  std::ranges::sort(first_clusters);
  return first_clusters;
}

}  // namespace e2qcow::qcow2
