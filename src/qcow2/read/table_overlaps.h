// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <vector>

#include "qcow2/format/format.h"
#include "qcow2/format/table_walk.h"

namespace e2qcow::qcow2 {

// The ranges of an image's tables in its file. Overlapping tables could make a reader take data for tables,
// or tables for data.
class TableOverlaps : private TableVisitor {
 public:
  // Header, L1 table, refcount table and blocks, the given L2 tables (host offsets), and all tables of
  // snapshots and bitmaps. Reads the tables except those of L2. Throws Errc::corrupt or truncated if one has
  // a fault, is outside the file or overlaps another. Snapshots share L2 tables with each other and with the
  // disk.
  TableOverlaps(const ReadableFile& file, const Header& header, const std::vector<Extension>& extensions,
                const std::vector<std::uint64_t>& l2_tables);

  // Whether the range has no part of a table.
  bool is_free(Extent host) const;
  // Of the last table; 0 if there is none.
  std::uint64_t end() const { return tables_.empty() ? 0 : tables_.back().end(); }

 private:
  bool add_table(ClusterUse use, Extent host, const Origin& origin) override;
  void add_fault(const Origin& origin, const Fault& fault) override { refuse(file_.name(), origin, fault); }
  void add_snapshots(const Header& header, const std::vector<std::uint64_t>& l2_tables);
  void sort();

  const ReadableFile& file_;
  const ImageLimits limits_;
  std::vector<Extent> tables_;  // ascending, touching ones joined
};

}  // namespace e2qcow::qcow2
