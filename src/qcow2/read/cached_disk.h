// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <atomic>
#include <mutex>

#include "base/process/background_queue.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/cluster_cache.h"

namespace e2qcow::qcow2 {

// The disk of a chain for programs that read small pieces here and there, and often the same again. What is
// compressed is kept when it was decompressed, and decompressed ahead by a thread where reads are sequential
// or announced. The chain does not change.
class CachedDisk : public ImageSource {
 public:
  // Keeps up to `cache_bytes`. The chain must outlive it.
  CachedDisk(Chain& chain, std::uint64_t cache_bytes);

  std::uint64_t size() const override { return chain_.size(); }
  // Other than for sources in general: any offset, from several threads.
  std::optional<Extent> next_extent(std::uint64_t guest_offset) override {
    return chain_.next_extent(guest_offset);
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) override;

  // A hint that the range will be read soon; returns at once.
  void prefetch(Extent guest);

  // Ends the thread; it is started again when it is needed. To be called before a fork.
  void stop_thread() { ahead_.stop(); }

 private:
  void read_part(std::uint64_t guest_offset, std::span<std::byte> out);
  ClusterCache::Cluster get(std::uint64_t unit);
  Chain::Place find(std::uint64_t guest_offset);
  void notice(std::uint64_t unit);
  void load_ahead(std::uint64_t unit) noexcept;
  void load(std::uint64_t unit, std::span<std::byte> out);

  Chain& chain_;
  const std::uint64_t unit_bytes_;  // what is cached as one
  ClusterCache cache_;
  std::mutex mutex_;  // guards recent_
  Chain::Place recent_;
  std::atomic<std::uint64_t> last_unit_{0};
  std::atomic<std::uint64_t> run_{0};        // units that were read in a row, beyond the first
  std::atomic<std::uint64_t> ahead_end_{0};  // units before it were asked for ahead
  BackgroundQueue ahead_;                    // ends before what it works on
};

}  // namespace e2qcow::qcow2
