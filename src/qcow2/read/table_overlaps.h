// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <string>
#include <vector>

#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// The ranges of the tables that the disk in an image depends on, in its file. Overlapping tables could make a
// reader take data for tables, or tables for data.
class TableOverlaps {
 public:
  // Header, L1 table, and the given L2 tables (host offsets). Throws Errc::corrupt if one overlaps another.
  TableOverlaps(const std::string& file_name, const Header& header,
                const std::vector<std::uint64_t>& l2_tables);

  // Whether the range has no part of a table.
  bool is_free(Extent host) const;
  // Of the last table.
  std::uint64_t end() const { return tables_.back().end(); }

 private:
  std::vector<Extent> tables_;  // ascending, touching ones joined
};

}  // namespace e2qcow::qcow2
