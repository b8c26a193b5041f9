// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <functional>
#include <unordered_map>
#include <vector>

#include "qcow2/format/format.h"
#include "qcow2/overlay/overlay_space.h"
#include "qcow2/read/reader.h"

namespace e2qcow::qcow2 {

// The L1 and L2 tables of an overlay, changed in memory and written on request.
class OverlayTables {
 public:
  // The image's tables must have been checked. `file` and `space` must outlive this.
  OverlayTables(File& file, const Header& header, OverlaySpace& space);

  L2Entry entry(std::uint64_t guest_offset);
  // Takes a cluster for a new table if one is needed.
  void set(std::uint64_t guest_offset, L2Entry entry);

  // An extent from `guest_offset` on that is stored in one way and, for data, in one piece.
  Mapping map(std::uint64_t guest_offset);

  // Entries that were set since write().
  std::uint64_t changes() const { return changes_; }

  // Writes first the L2 tables, then the entries of new ones in the L1 table. Calls `barrier` before each of
  // the two, because what they refer to must be in the file first.
  void write(const std::function<void()>& barrier);
  // Drops tables that can be read again, if there are many.
  void shrink();

 private:
  struct Table {
    std::uint64_t host_offset = 0;
    std::vector<std::uint64_t> entries;  // as stored on disk
    std::uint64_t first_changed = 0;
    std::uint64_t end_changed = 0;  // none: the same
  };
  const Table* find(std::uint64_t l1_index);
  Table& need(std::uint64_t l1_index);
  void write(Table& table);
  Mapping map_table(const Table& table, std::uint64_t guest_offset) const;

  File& file_;
  const Header header_;
  const Geometry geometry_;
  OverlaySpace& space_;
  std::vector<std::uint64_t> l1_;                    // host offsets of L2 tables
  std::vector<std::uint64_t> new_tables_;            // L1 indices that the file does not have yet
  std::unordered_map<std::uint64_t, Table> tables_;  // by L1 index
  std::uint64_t changes_ = 0;
};

}  // namespace e2qcow::qcow2
