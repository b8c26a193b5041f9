// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/table_overlaps.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/bytes.h"
#include "base/extents.h"

namespace e2qcow::qcow2 {

TableOverlaps::TableOverlaps(const ReadableFile& file, const Header& header,
                             const std::vector<Extension>& extensions,
                             const std::vector<std::uint64_t>& l2_tables)
    : file_(file), limits_{header.geometry(), header.version, file.size()} {
  const std::uint64_t cluster_size = limits_.geometry.cluster_size();
  add_table(ClusterUse::header, {0, 1}, {"header"});
  add_table(ClusterUse::l1_table, {header.l1_table_offset, header.l1_size * sizeof(std::uint64_t)},
            {"L1 table"});
  for (const std::uint64_t host_offset : l2_tables)
    add_table(ClusterUse::l2_table, {host_offset, cluster_size}, {"L2 table"});
  walk_refcounts(file, header, *this, [](std::uint64_t, std::uint64_t) {});
  add_snapshots(header, l2_tables);
  walk_bitmaps(file, header, extensions, *this);
  sort();
}

bool TableOverlaps::add_table(ClusterUse use, Extent host, const Origin& origin) {
  if (host.empty()) return true;
  if (const auto fault = fault_of_table(use, host, limits_)) refuse(file_.name(), origin, *fault);
  tables_.push_back({host.offset, round_up(host.length, limits_.geometry.cluster_size())});
  return true;
}

void TableOverlaps::add_snapshots(const Header& header, const std::vector<std::uint64_t>& l2_tables) {
  std::unordered_set<std::uint64_t> known(l2_tables.begin(), l2_tables.end());
  const auto add_l2_table = [&](L1Entry entry, const Origin& origin) {
    if (known.insert(entry.host_offset()).second)
      add_table(ClusterUse::l2_table, {entry.host_offset(), limits_.geometry.cluster_size()}, origin);
  };
  walk_snapshots(file_, header, *this,
                 [&](const L1Table& table) { walk_l1(file_, table, *this, add_l2_table); });
}

void TableOverlaps::sort() {
  std::ranges::sort(tables_, {}, &Extent::offset);
  std::vector<Extent> joined;
  for (const Extent& table : tables_) {
    if (!joined.empty() && joined.back().end() > table.offset)
      fail(Errc::corrupt, fmt::format("{}: two of its tables overlap at {}", file_.name(), table.offset));
    add_joined(joined, table);
  }
  tables_ = std::move(joined);
}

bool TableOverlaps::is_free(Extent host) const {
  return !any_overlaps(tables_, host);
}

}  // namespace e2qcow::qcow2
