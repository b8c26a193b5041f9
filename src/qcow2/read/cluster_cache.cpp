// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/cluster_cache.h"

#include <algorithm>

namespace e2qcow::qcow2 {

ClusterCache::ClusterCache(std::uint64_t bytes, std::uint64_t cluster_size, Load load)
    : capacity_(std::max<std::uint64_t>(2, bytes / cluster_size)),
      cluster_size_(cluster_size),
      load_(std::move(load)) {}

ClusterCache::Cluster ClusterCache::use(Entry& entry) {
  if (entry.age != order_.begin()) order_.splice(order_.begin(), order_, entry.age);
  return entry.cluster;
}

ClusterCache::Cluster ClusterCache::find(std::uint64_t index) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(index);
  return found == entries_.end() || !found->second.cluster ? nullptr : use(found->second);
}

ClusterCache::Cluster ClusterCache::get(std::uint64_t index) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto [entry, is_new] = entries_.try_emplace(index);
    if (is_new) break;
    if (entry->second.cluster) return use(entry->second);
    loaded_.wait(lock);
  }
  lock.unlock();
  return load(index);
}

// This thread owns the entry until it has its cluster or is removed.
ClusterCache::Cluster ClusterCache::load(std::uint64_t index) {
  Memory cluster;
  try {
    cluster = take_memory();
    load_(index, {cluster.get(), cluster_size_});
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    entries_.erase(index);
    loaded_.notify_all();
    throw;
  }
  const std::scoped_lock lock(mutex_);
  order_.push_front(index);
  entries_[index] = {cluster, order_.begin()};
  drop_oldest();
  loaded_.notify_all();
  return cluster;
}

ClusterCache::Memory ClusterCache::take_memory() {
  {
    const std::scoped_lock lock(mutex_);
    if (spare_) return std::move(spare_);
  }
  return std::make_shared_for_overwrite<std::byte[]>(cluster_size_);
}

void ClusterCache::drop_oldest() {
  while (order_.size() > capacity_) {
    const auto oldest = entries_.find(order_.back());
    // No other thread has it, and none can get it while we hold the lock.
    if (oldest->second.cluster.use_count() == 1) spare_ = std::move(oldest->second.cluster);
    entries_.erase(oldest);
    order_.pop_back();
  }
}

}  // namespace e2qcow::qcow2
