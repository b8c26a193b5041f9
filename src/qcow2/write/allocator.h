// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "qcow2/write/refcount_writer.h"

namespace e2qcow::qcow2 {

// Gives out room in the data part of an image, front to back, and counts the references. Compressed clusters
// are packed byte by byte; where plain clusters come in between, the host cluster that is begun is filled up
// for as long as it is near, so that a reader of a pipe need not remember much.
class Allocator {
 public:
  // The arguments must outlive it.
  Allocator(RefcountWriter& refcounts, const Layout& layout);

  // Host offsets.
  std::uint64_t place_clusters(std::uint64_t count);
  std::uint64_t place_compressed(std::uint64_t length);  // less than a cluster

  // The end of the last cluster in use.
  std::uint64_t end() const { return next_cluster_ * cluster_size_; }
  // Clusters before it get no more references.
  std::uint64_t first_open_cluster() const;

  // What is placed at most this far behind end() is placed there; nothing goes further back.
  static constexpr std::uint64_t kReach = 8 << 20;

 private:
  bool can_continue(std::uint64_t length) const;

  RefcountWriter& refcounts_;
  std::uint64_t cluster_size_;
  std::uint64_t next_cluster_;  // the first that nothing is in
  std::uint64_t packed_end_ =
      0;  // where the last compressed data ends; a multiple of the cluster size: no room
};

}  // namespace e2qcow::qcow2
