// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/table_walk.h"

#include <algorithm>

#include "qcow2/format/bitmaps.h"
#include "qcow2/format/snapshots.h"
#include "qcow2/format/table_reading.h"

namespace e2qcow::qcow2 {
namespace {

// Bitmaps that are in use are out of date, and QEMU does not read their tables.
void walk_bitmap(const ReadableFile& file, Geometry geometry, const Bitmap& bitmap, const Origin& origin,
                 TableVisitor& visitor) {
  const Extent table{bitmap.table_offset, bitmap.table_entries * sizeof(std::uint64_t)};
  if (!visitor.add_table(ClusterUse::bitmap_table, table, origin)) return;
  const auto kind = bitmap.is_in_use() ? Fault::Kind::harmless : Fault::Kind::corrupt;
  for_each_entry(file, table.offset, bitmap.table_entries, [&](std::uint64_t index, std::uint64_t raw) {
    const BitmapTableEntry entry(raw);
    const Origin entry_origin{"bitmap table entry", index};
    if (entry.has_reserved_bits())
      visitor.add_fault(entry_origin, {kind, "{0:#x} has reserved bits set", raw});
    else if (entry.host_offset() != 0)
      visitor.add_table(ClusterUse::bitmap_data, {entry.host_offset(), geometry.cluster_size()},
                        entry_origin);
  });
}

}  // namespace

void walk_refcounts(const ReadableFile& file, const Header& header, TableVisitor& visitor,
                    const std::function<void(std::uint64_t index, std::uint64_t host_offset)>& visit_block) {
  const std::uint64_t cluster_size = header.geometry().cluster_size();
  const Extent table{header.refcount_table_offset, header.refcount_table_clusters * cluster_size};
  if (!visitor.add_table(ClusterUse::refcount_table, table, {"refcount table at", table.offset})) return;
  for_each_entry(
      file, table.offset, table.length / sizeof(std::uint64_t), [&](std::uint64_t index, std::uint64_t raw) {
        const RefcountTableEntry entry(raw);
        const Origin origin{"refcount table entry", index};
        if (entry.has_reserved_bits())
          visitor.add_fault(origin, {Fault::Kind::corrupt, "{0:#x} has reserved bits set", raw});
        else if (raw != 0 &&
                 visitor.add_table(ClusterUse::refcount_block, {entry.host_offset(), cluster_size}, origin))
          visit_block(index, entry.host_offset());
      });
}

void walk_l1(const ReadableFile& file, const L1Table& table, TableVisitor& visitor,
             const std::function<void(L1Entry entry, const Origin& origin)>& visit_entry) {
  const Extent host{table.host_offset, table.entries * sizeof(std::uint64_t)};
  const Origin origin{"L1 table at", table.host_offset, table.snapshot};
  if (!visitor.add_table(ClusterUse::l1_table, host, origin)) return;
  for_each_entry(file, table.host_offset, table.entries, [&](std::uint64_t index, std::uint64_t raw) {
    const L1Entry entry(raw);
    const Origin entry_origin{"L1 entry", index, table.snapshot};
    for (Fault fault : faults_of(entry)) {
      if (table.snapshot != 0) fault.kind = Fault::Kind::harmless;
      visitor.add_fault(entry_origin, fault);
    }
    if (entry.host_offset() != 0) visit_entry(entry, entry_origin);
  });
}

void walk_snapshots(const ReadableFile& file, const Header& header, TableVisitor& visitor,
                    const std::function<void(const L1Table& table)>& visit_l1) {
  if (header.snapshot_count == 0) return;
  const SnapshotTable table = read_snapshots(file, header, [&](std::uint32_t number, const Fault& fault) {
    visitor.add_fault({"snapshot table entry", number}, fault);
  });
  visitor.add_table(ClusterUse::snapshot_table, {header.snapshots_offset, table.bytes},
                    {"snapshot table at", header.snapshots_offset});
  std::uint32_t number = 0;
  for (const Snapshot& snapshot : table.snapshots) {
    ++number;
    if (snapshot.l1_entries > kMaxL1Bytes / sizeof(std::uint64_t))
      visitor.add_fault(
          {"snapshot", number},
          {Fault::Kind::corrupt, "an L1 table of {0} entries is too large", snapshot.l1_entries});
    else
      visit_l1({snapshot.l1_offset, snapshot.l1_entries, number});
  }
}

void walk_bitmaps(const ReadableFile& file, const Header& header, const std::vector<Extension>& extensions,
                  TableVisitor& visitor) {
  const auto extension = std::ranges::find(extensions, kBitmaps, &Extension::type);
  if (extension == extensions.end()) return;
  const Origin origin{"bitmaps extension"};
  const auto directory = decode_bitmap_directory(extension->data);
  if (!directory) return visitor.add_fault(origin, {Fault::Kind::corrupt, "it is not valid"});
  // qcow2 spec, "autoclear_features": a program that does not know bitmaps has written to the image. The
  // extension means nothing any more, and its clusters are leaks.
  if ((header.autoclear_features & kBitmapsAreConsistent) == 0) return;
  if (!visitor.add_table(ClusterUse::bitmap_directory, directory->host, origin)) return;
  std::uint64_t number = 0;
  const auto problem = [&](const Fault& fault) { visitor.add_fault({"bitmap directory"}, fault); };
  for (const Bitmap& bitmap : read_bitmaps(file, *directory, problem)) {
    const Origin bitmap_origin{"bitmap", ++number};
    if (is_valid(bitmap, header))
      walk_bitmap(file, header.geometry(), bitmap, bitmap_origin, visitor);
    else
      visitor.add_fault(bitmap_origin,
                        {Fault::Kind::corrupt, "its entry in the bitmap directory is not valid"});
  }
}

}  // namespace e2qcow::qcow2
