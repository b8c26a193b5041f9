// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <string>
#include <vector>

#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// Where an image's tables lie in its file. Tables that overlap are how an image makes a reader take one thing
// for another: data for tables, tables for data.
class TableOverlaps {
 public:
  // Header, L1 table, refcount table and blocks, the given L2 tables (host offsets), and all that snapshots
  // and bitmaps have. Reads the tables but those of L2. Throws Errc::corrupt or truncated where one is
  // outside the file, not aligned, or overlaps another; snapshots share L2 tables with each other and with
  // the disk.
  TableOverlaps(const ReadableFile& file, const Header& header, const std::vector<Extension>& extensions,
                const std::vector<std::uint64_t>& l2_tables);

  // Whether data may lie there.
  bool is_free(Extent host) const;
  // Of the last table; 0 where there is none.
  std::uint64_t end() const { return tables_.empty() ? 0 : tables_.back().end(); }

 private:
  void add_refcount_blocks(const ReadableFile& file, const Header& header);
  void add_snapshots(const ReadableFile& file, const Header& header,
                     const std::vector<std::uint64_t>& l2_tables);
  void add_bitmaps(const ReadableFile& file, const Header& header, const std::vector<Extension>& extensions);
  // A table of whole clusters.
  void add(const ReadableFile& file, Extent host, const char* what);
  void sort(const std::string& name);

  std::uint64_t cluster_size_;
  std::uint64_t file_size_;
  std::vector<Extent> tables_;  // ascending, touching ones joined
};

}  // namespace e2qcow::qcow2
