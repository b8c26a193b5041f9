// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/metadata_map.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/table_pieces.h"

namespace e2qcow::qcow2 {

MetadataMap::MetadataMap(const File& file, const Header& header,
                         const std::vector<std::uint64_t>& l2_tables) {
  const std::uint64_t cluster_size = header.geometry().cluster_size();
  const auto add = [&](std::uint64_t host_offset, std::uint64_t bytes) {
    if (bytes != 0) tables_.push_back({host_offset, round_up(bytes, cluster_size)});
  };
  add(0, 1);
  add(header.l1_table_offset, header.l1_size * sizeof(std::uint64_t));
  add(header.refcount_table_offset, header.refcount_table_clusters * cluster_size);
  add(header.snapshots_offset, header.snapshot_count);
  for (const std::uint64_t host_offset : l2_tables) add(host_offset, cluster_size);
  add_refcount_blocks(file, header);
  sort(file.name());
}

void MetadataMap::add_refcount_blocks(const File& file, const Header& header) {
  constexpr std::uint64_t kReserved = 0x1ff;  // qcow2 spec, "Refcount table entry"
  const std::uint64_t cluster_size = header.geometry().cluster_size();
  const std::uint64_t file_size = file.size();
  const std::uint64_t entries = header.refcount_table_clusters * cluster_size / sizeof(std::uint64_t);
  for_each_entry(file, header.refcount_table_offset, entries, [&](std::uint64_t index, std::uint64_t raw) {
    if (raw == 0) return;
    if ((raw & kReserved) != 0 || raw % cluster_size != 0)
      fail(Errc::corrupt,
           fmt::format("{}: refcount table entry {} ({:#x}) has reserved bits or is not aligned", file.name(),
                       index, raw));
    if (raw > file_size || cluster_size > file_size - raw)
      fail(Errc::truncated,
           fmt::format("{}: refcount table entry {}: the block at {} is past the end of the file",
                       file.name(), index, raw));
    tables_.push_back({raw, cluster_size});
  });
}

void MetadataMap::sort(const std::string& name) {
  std::ranges::sort(tables_, {}, &Extent::offset);
  std::vector<Extent> joined;
  for (const Extent& table : tables_) {
    if (!joined.empty() && joined.back().end() > table.offset)
      fail(Errc::corrupt, fmt::format("{}: two of its tables lie at {}", name, table.offset));
    if (!joined.empty() && joined.back().end() == table.offset)
      joined.back().length += table.length;
    else
      joined.push_back(table);
  }
  tables_ = std::move(joined);
}

bool MetadataMap::is_free(Extent host) const {
  const auto next = std::ranges::upper_bound(tables_, host.offset, {}, &Extent::end);
  return next == tables_.end() || next->offset >= host.end();
}

}  // namespace e2qcow::qcow2
