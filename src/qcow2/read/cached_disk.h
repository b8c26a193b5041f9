// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <mutex>

#include "base/process/background_queue.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/cluster_cache.h"
#include "qcow2/read/sequential_reads.h"

namespace e2qcow::qcow2 {

// The disk of a chain for programs that read small pieces here and there, and often the same again. Keeps
// what it decompressed; a thread decompresses ahead of reads that are sequential or announced. The chain does
// not change.
class CachedDisk : public ImageSource {
 public:
  // Keeps up to `cache_bytes`. The chain must outlive it.
  CachedDisk(const Chain& chain, std::uint64_t cache_bytes);

  std::uint64_t size() const override { return chain_.size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    return chain_.next_extent(guest_offset);
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override;

  void prefetch(Extent guest) const override;

  // Ends the thread; it is started again when needed. Call it before a fork.
  void stop_thread() { ahead_.stop(); }

 private:
  void read_part(std::uint64_t guest_offset, std::span<std::byte> out) const;
  ClusterCache::Cluster get(std::uint64_t unit) const;
  Chain::LayerMapping find(std::uint64_t guest_offset) const;
  void notice(std::uint64_t unit) const;
  void load_ahead(std::uint64_t unit) const noexcept;
  void load(std::uint64_t unit, std::span<std::byte> out) const;

  const Chain& chain_;
  const std::uint64_t unit_bytes_;  // the unit of caching
  // The units that were read last, and those expected next.
  mutable ClusterCache cache_;
  mutable std::mutex mutex_;  // guards recent_
  mutable Chain::LayerMapping recent_;
  mutable SequentialReads sequential_reads_;
  mutable BackgroundQueue ahead_;  // ends before what it works on
};

}  // namespace e2qcow::qcow2
