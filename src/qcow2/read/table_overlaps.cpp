// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/table_overlaps.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/bytes.h"
#include "base/extents.h"
#include "qcow2/format/bitmaps.h"
#include "qcow2/format/snapshots.h"
#include "qcow2/format/table_reading.h"

namespace e2qcow::qcow2 {

TableOverlaps::TableOverlaps(const ReadableFile& file, const Header& header,
                             const std::vector<Extension>& extensions,
                             const std::vector<std::uint64_t>& l2_tables)
    : cluster_size_(header.geometry().cluster_size()), file_size_(file.size()) {
  add(file, {0, 1}, "header");
  add(file, {header.l1_table_offset, header.l1_size * sizeof(std::uint64_t)}, "L1 table");
  add(file, {header.refcount_table_offset, header.refcount_table_clusters * cluster_size_}, "refcount table");
  for (const std::uint64_t host_offset : l2_tables) add(file, {host_offset, cluster_size_}, "L2 table");
  add_refcount_blocks(file, header);
  add_snapshots(file, header, l2_tables);
  add_bitmaps(file, header, extensions);
  sort(file.name());
}

// The last cluster of the file may be cut off.
void TableOverlaps::add(const ReadableFile& file, Extent host, const char* what) {
  if (host.empty()) return;
  if (host.offset % cluster_size_ != 0)
    fail(Errc::corrupt, fmt::format("{}: the {} at {} is not aligned", file.name(), what, host.offset));
  if (host.offset > file_size_ || host.length > file_size_ - host.offset)
    fail(Errc::truncated,
         fmt::format("{}: the {} at {} is past the end of the file", file.name(), what, host.offset));
  tables_.push_back({host.offset, round_up(host.length, cluster_size_)});
}

void TableOverlaps::add_refcount_blocks(const ReadableFile& file, const Header& header) {
  constexpr std::uint64_t kReserved = 0x1ff;  // qcow2 spec, "Refcount table entry"
  const std::uint64_t entries = header.refcount_table_clusters * cluster_size_ / sizeof(std::uint64_t);
  for_each_entry(file, header.refcount_table_offset, entries, [&](std::uint64_t index, std::uint64_t raw) {
    if (raw == 0) return;
    if ((raw & kReserved) != 0)
      fail(Errc::corrupt,
           fmt::format("{}: refcount table entry {} ({:#x}) has reserved bits", file.name(), index, raw));
    add(file, {raw, cluster_size_}, "refcount block");
  });
}

void TableOverlaps::add_snapshots(const ReadableFile& file, const Header& header,
                                  const std::vector<std::uint64_t>& l2_tables) {
  if (header.snapshot_count == 0) return;
  std::string problem;
  const SnapshotTable table =
      read_snapshots(file, header, [&](std::uint32_t, const std::string& text) { problem = text; });
  if (table.snapshots.size() < header.snapshot_count)
    fail(Errc::corrupt, fmt::format("{}: snapshot {}: {}", file.name(), table.snapshots.size() + 1, problem));
  add(file, {header.snapshots_offset, table.bytes}, "snapshot table");
  std::unordered_set<std::uint64_t> known(l2_tables.begin(), l2_tables.end());
  for (const Snapshot& snapshot : table.snapshots) {
    if (snapshot.l1_entries > kMaxL1Bytes / sizeof(std::uint64_t))
      fail(Errc::corrupt, fmt::format("{}: a snapshot's L1 table of {} entries is too large", file.name(),
                                      snapshot.l1_entries));
    add(file, {snapshot.l1_offset, snapshot.l1_entries * sizeof(std::uint64_t)}, "L1 table of a snapshot");
    for_each_entry(file, snapshot.l1_offset, snapshot.l1_entries, [&](std::uint64_t, std::uint64_t raw) {
      const std::uint64_t host_offset = L1Entry(raw).host_offset();
      if (host_offset != 0 && known.insert(host_offset).second)
        add(file, {host_offset, cluster_size_}, "L2 table of a snapshot");
    });
  }
}

void TableOverlaps::add_bitmaps(const ReadableFile& file, const Header& header,
                                const std::vector<Extension>& extensions) {
  const auto extension = std::ranges::find(extensions, kBitmaps, &Extension::type);
  if (extension == extensions.end()) return;
  const auto directory = decode_bitmap_directory(extension->data);
  if (!directory) fail(Errc::corrupt, file.name() + ": its bitmaps extension makes no sense");
  // Without the bit, somebody who does not know bitmaps has written since, and they mean nothing any more.
  if ((header.autoclear_features & kBitmapsAreConsistent) == 0) return;
  add(file, directory->host, "bitmap directory");
  const auto problem = [&](const std::string& text) {
    fail(Errc::corrupt, fmt::format("{}: bitmap directory: {}", file.name(), text));
  };
  for (const Bitmap& bitmap : read_bitmaps(file, *directory, problem)) {
    add(file, {bitmap.table_offset, bitmap.table_entries * sizeof(std::uint64_t)}, "bitmap table");
    for_each_entry(file, bitmap.table_offset, bitmap.table_entries, [&](std::uint64_t, std::uint64_t raw) {
      const std::uint64_t host_offset = L2Entry(raw).host_offset();
      if (host_offset != 0) add(file, {host_offset, cluster_size_}, "bitmap data");
    });
  }
}

void TableOverlaps::sort(const std::string& name) {
  std::ranges::sort(tables_, {}, &Extent::offset);
  std::vector<Extent> joined;
  for (const Extent& table : tables_) {
    if (!joined.empty() && joined.back().end() > table.offset)
      fail(Errc::corrupt, fmt::format("{}: two of its tables lie at {}", name, table.offset));
    add_joined(joined, table);
  }
  tables_ = std::move(joined);
}

bool TableOverlaps::is_free(Extent host) const {
  return !any_overlaps(tables_, host);
}

}  // namespace e2qcow::qcow2
