// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <map>
#include <vector>

#include "qcow2/write/layout.h"

namespace e2qcow::qcow2 {

// Counts the references to host clusters, and writes refcount blocks and table as the layout has them. Keeps
// only blocks that may still change, so that memory does not grow with the image.
class RefcountWriter {
 public:
  RefcountWriter(File& file, const Layout& layout);

  // Adds a reference to each of `count` clusters. Throws Errc::changed if the layout has no block for them,
  // Errc::refused if their block was written already.
  void add(std::uint64_t first_cluster, std::uint64_t count);

  // How often the cluster was referenced so far. It must not be one that flush_before() wrote.
  std::uint64_t references(std::uint64_t cluster) const;

  // Writes the blocks that are complete if only clusters from `cluster` on, and the tables before the data,
  // will be added.
  void flush_before(std::uint64_t cluster);

  // Adds the refcount structures themselves and writes all that is left.
  void finish();

 private:
  std::vector<std::uint16_t>& block_for(std::uint64_t index);
  void write_block(std::uint64_t index);
  void count_own_blocks();

  File& file_;
  const Layout& layout_;
  std::uint64_t entries_per_block_;
  std::map<std::uint64_t, std::vector<std::uint16_t>> open_;  // by block index
  std::vector<bool> used_;                                    // by block index
};

}  // namespace e2qcow::qcow2
