// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/table_overlaps.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/extents.h"

namespace e2qcow::qcow2 {

TableOverlaps::TableOverlaps(const std::string& file_name, const Header& header,
                             const std::vector<std::uint64_t>& l2_tables) {
  const Geometry geometry = header.geometry();
  const std::uint64_t cluster_size = geometry.cluster_size();
  const std::uint64_t l1_bytes = divide_up(header.size, geometry.l2_reach()) * sizeof(std::uint64_t);
  std::vector<Extent> tables{{0, cluster_size}};
  if (l1_bytes > 0) tables.push_back({header.l1_table_offset, round_up(l1_bytes, cluster_size)});
  for (const std::uint64_t host_offset : l2_tables) tables.push_back({host_offset, cluster_size});
  std::ranges::sort(tables, {}, &Extent::offset);
  for (const Extent& table : tables) {
    if (!tables_.empty() && tables_.back().end() > table.offset)
      fail(Errc::corrupt, fmt::format("{}: two of its tables overlap at {}", file_name, table.offset));
    add_joined(tables_, table);
  }
}

bool TableOverlaps::is_free(Extent host) const {
  return !any_overlaps(tables_, host);
}

}  // namespace e2qcow::qcow2
