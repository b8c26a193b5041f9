// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>

namespace e2qcow::qcow2 {

// Keeps the most recently used clusters, by number. Each is loaded once, however many threads request it.
// Safe from several threads.
class ClusterCache {
 public:
  using Cluster = std::shared_ptr<const std::byte[]>;
  using Load = std::function<void(std::uint64_t index, std::span<std::byte> out)>;

  // Keeps up to `bytes`, but at least two clusters. `load` fills a cluster; it may be called by several
  // threads at once.
  ClusterCache(std::uint64_t bytes, std::uint64_t cluster_size, Load load);

  // Null if it is not in the cache.
  Cluster find(std::uint64_t index);
  // Loads it if it is not in the cache, or waits for the thread that is loading it. Throws what `load`
  // throws; then nothing is kept.
  Cluster get(std::uint64_t index);

  std::uint64_t capacity() const { return capacity_; }  // clusters

 private:
  using Memory = std::shared_ptr<std::byte[]>;
  struct Entry {
    Memory cluster;                            // null while it is loaded
    std::list<std::uint64_t>::iterator age{};  // in order_, once it is loaded
  };
  Cluster use(Entry& entry);
  Cluster load(std::uint64_t index);
  Memory take_memory();
  void drop_oldest();

  const std::uint64_t capacity_;
  const std::uint64_t cluster_size_;
  const Load load_;
  std::mutex mutex_;  // guards the members below
  std::condition_variable loaded_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::list<std::uint64_t> order_;  // most recently used first
  Memory spare_;                    // of a cluster that was dropped: new memory costs as much as a small load
};

}  // namespace e2qcow::qcow2
