// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <string>
#include <vector>

#include "qcow2/format.h"

namespace e2qcow::qcow2 {

// Where an image's tables lie in its file. Tables that overlap are how an image makes a reader take one thing
// for another: data for tables, tables for data.
class MetadataMap {
 public:
  // Header, L1 table, refcount table and blocks, snapshot table, and the given L2 tables (host offsets).
  // Reads the refcount table. Throws Errc::corrupt or truncated where one is outside the file, not aligned,
  // or overlaps another.
  MetadataMap(const File& file, const Header& header, const std::vector<std::uint64_t>& l2_tables);

  // Whether data may lie there.
  bool is_free(Extent host) const;

 private:
  void add_refcount_blocks(const File& file, const Header& header);
  void sort(const std::string& name);

  std::vector<Extent> tables_;  // ascending, touching ones joined
};

}  // namespace e2qcow::qcow2
