// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "qcow2/write/refcount_writer.h"

namespace e2qcow::qcow2 {

// Allocates the data part of an image, front to back, and counts the references. Compressed clusters are
// packed byte by byte. A host cluster that was begun before plain clusters is filled up while it is near the
// end, so that a program that reads a pipe need not remember much.
class Allocator {
 public:
  // The arguments must outlive it.
  Allocator(RefcountWriter& refcounts, const Layout& layout);

  // Host offsets.
  std::uint64_t allocate_clusters(std::uint64_t count);
  std::uint64_t allocate_compressed(std::uint64_t length);  // less than a cluster

  // The end of the last cluster in use.
  std::uint64_t end() const { return next_cluster_ * cluster_size_; }
  // Clusters before it get no more references.
  std::uint64_t first_open_cluster() const;

  // A cluster is filled up only if that continues at most this far before end().
  static constexpr std::uint64_t kReach = 8 << 20;

 private:
  bool can_continue(std::uint64_t length) const;

  RefcountWriter& refcounts_;
  std::uint64_t cluster_size_;
  std::uint64_t next_cluster_;  // the first unused one
  // Host offset after the last compressed data. At a multiple of the cluster size there is nothing to fill
  // up.
  std::uint64_t packed_end_ = 0;
};

}  // namespace e2qcow::qcow2
