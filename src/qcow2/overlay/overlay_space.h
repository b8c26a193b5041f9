// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <map>
#include <vector>

#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// Clusters for an overlay that grows at its end, and their refcounts of 16 bits. Refcounts change in memory
// until write(). If the program is killed before that, only clusters are lost that nothing refers to yet.
class OverlaySpace {
 public:
  // The image's header must have been checked. `file` must outlive this.
  OverlaySpace(File& file, const Header& header);

  // Takes at least one and up to `count` clusters in one piece, and returns their range in the file. They
  // count as used from then on.
  Extent take(std::uint64_t count);

  // Writes the refcounts: new blocks before the entries of the table that lead to them.
  void write();

 private:
  struct Block {
    std::uint64_t host_offset = 0;
    bool is_new = false;                // the table does not have it yet
    std::vector<std::uint16_t> counts;  // as stored on disk
    std::uint64_t first_changed = 0;
    std::uint64_t end_changed = 0;
  };
  Block& block_for(std::uint64_t cluster);
  Block make_block(std::uint64_t index);
  static void count(Block& block, std::uint64_t first, std::uint64_t clusters);
  void write(Block& block);

  File& file_;
  const Header header_;
  const std::uint64_t cluster_size_;
  std::vector<std::uint64_t> table_;  // host offsets of blocks
  std::uint64_t next_cluster_;
  std::map<std::uint64_t, Block> changed_;  // by index
};

}  // namespace e2qcow::qcow2
