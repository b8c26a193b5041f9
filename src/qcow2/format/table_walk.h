// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <functional>
#include <vector>

#include "qcow2/format/entry_rules.h"
#include "qcow2/format/format.h"

// Walks over the tables of an image. The reader and the checker share them.
namespace e2qcow::qcow2 {

// Is told about each table before it is read, and about what is wrong. It may throw to end the walk.
class TableVisitor {
 public:
  virtual ~TableVisitor() = default;
  // A table in whole clusters of its own. Returns false if it must not be read.
  virtual bool add_table(ClusterUse use, Extent host, const Origin& origin) = 0;
  virtual void add_fault(const Origin& origin, const Fault& fault) = 0;
};

// The refcount table and its blocks. `visit_block` gets those that may be read.
void walk_refcounts(const ReadableFile& file, const Header& header, TableVisitor& visitor,
                    const std::function<void(std::uint64_t index, std::uint64_t host_offset)>& visit_block);

// An L1 table, of the active state (snapshot 0) or of a snapshot (from 1).
struct L1Table {
  std::uint64_t host_offset;
  std::uint32_t entries;
  std::uint32_t snapshot;
};
// `visit_entry` gets the entries that have an L2 table. The walk does not visit those, because L1 tables
// share them.
void walk_l1(const ReadableFile& file, const L1Table& table, TableVisitor& visitor,
             const std::function<void(L1Entry entry, const Origin& origin)>& visit_entry);

// The snapshot table. `visit_l1` gets the snapshots' L1 tables, which the visitor was not told about yet.
void walk_snapshots(const ReadableFile& file, const Header& header, TableVisitor& visitor,
                    const std::function<void(const L1Table& table)>& visit_l1);

// The bitmap directory, the bitmaps' tables, and their data.
void walk_bitmaps(const ReadableFile& file, const Header& header, const std::vector<Extension>& extensions,
                  TableVisitor& visitor);

}  // namespace e2qcow::qcow2
