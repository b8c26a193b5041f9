// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/mapping_check.h"

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/format/table_reading.h"

namespace e2qcow::qcow2 {

void MappingCheck::add_l1_table(std::uint64_t host_offset, std::uint32_t entries, std::uint32_t snapshot) {
  const Origin origin{"L1 table at", host_offset, snapshot};
  const Extent host{host_offset, entries * sizeof(std::uint64_t)};
  if (!image_.add_metadata(ClusterUse::l1_table, host, origin)) return;
  std::vector<std::uint64_t> l2_offsets;
  for_each_entry(image_.file, host_offset, entries, [&](std::uint64_t index, std::uint64_t raw) {
    if (raw == 0) return;
    const L1Entry entry(raw);
    add_l2_table(entry, static_cast<std::uint32_t>(index), snapshot);
    if (entry.host_offset() != 0) l2_offsets.push_back(entry.host_offset());
  });
  report_duplicates(l2_offsets, origin);
}

void MappingCheck::add_l2_table(L1Entry entry, std::uint32_t l1_index, std::uint32_t snapshot) {
  const Origin origin{"L1 entry", l1_index, snapshot};
  const std::uint64_t host_offset = entry.host_offset();
  if (entry.has_reserved_bits()) image_.report.corruption(origin, "{:#x} has reserved bits set", entry.raw());
  if (host_offset == 0) {
    if (entry.copied()) image_.report.corruption(origin, "it is marked as copied, but has no L2 table");
    return;
  }
  const std::uint64_t cluster = host_offset >> image_.geometry.cluster_bits;
  const bool is_aligned = host_offset % image_.geometry.cluster_size() == 0;
  if (is_aligned && image_.clusters.use(cluster) == ClusterUse::l2_table)
    image_.clusters.add_references(cluster, 1);
  else if (image_.add_metadata(ClusterUse::l2_table, {host_offset, image_.geometry.cluster_size()}, origin))
    l2_tables_.push_back({host_offset, l1_index, snapshot});
  if (is_aligned) check_copied(entry.copied(), host_offset, origin);
}

// qcow2 spec, "L1 table entry" and "L2 table entry": bit 63 is only accurate in the active tables.
void MappingCheck::check_copied(bool copied, std::uint64_t host_offset, const Origin& origin) {
  if (origin.snapshot != 0 || host_offset >= image_.file_size) return;
  const bool is_one = image_.clusters.refcount_is_one(host_offset >> image_.geometry.cluster_bits);
  if (copied && !is_one)
    image_.report.corruption(origin, "it is marked as copied, but the refcount of the cluster at {} is not 1",
                             host_offset);
  if (!copied && is_one)
    image_.report.corruption(origin, "it is not marked as copied, but the refcount of the cluster at {} is 1",
                             host_offset);
}

// L1 tables share L2 tables with those of snapshots, but no part of a disk is another part of it.
void MappingCheck::report_duplicates(std::vector<std::uint64_t>& l2_offsets, const Origin& origin) {
  std::ranges::sort(l2_offsets);
  for (std::size_t i = 1; i < l2_offsets.size(); ++i)
    if (l2_offsets[i] == l2_offsets[i - 1])
      image_.report.corruption(origin, "several of its entries have the L2 table at {}", l2_offsets[i]);
}

void MappingCheck::add_l2_tables() {
  std::ranges::sort(l2_tables_, {}, &L2Table::host_offset);
  for_each_table(image_.file, std::span<const L2Table>(l2_tables_), image_.geometry.cluster_size(),
                 [&](const L2Table& table, std::span<const std::byte> bytes) { add_entries(table, bytes); });
}

void MappingCheck::add_entries(const L2Table& table, std::span<const std::byte> bytes) {
  if (is_zero(bytes)) return;
  if (table.snapshot == 0) count_statistics(bytes);
  Place place{{"guest offset", table.l1_index * image_.geometry.l2_reach(), table.snapshot},
              image_.clusters.references(table.host_offset >> image_.geometry.cluster_bits)};
  for (std::size_t position = 0; position < bytes.size(); position += image_.geometry.l2_entry_bytes()) {
    const L2Entry entry(load_be<std::uint64_t>(bytes, position));
    if (image_.geometry.extended_l2)
      check_subclusters(entry, Subclusters(load_be<std::uint64_t>(bytes, position + 8)), place);
    add_entry(entry, place);
    place.origin.number += image_.geometry.cluster_size();
  }
}

void MappingCheck::check_subclusters(L2Entry entry, Subclusters subclusters, const Place& place) {
  if (entry.compressed() && subclusters.raw() != 0)
    image_.report.corruption(place.origin, "a compressed cluster has subclusters ({:#x})", subclusters.raw());
  if (!entry.compressed() && subclusters.contradicts_itself())
    image_.report.corruption(place.origin, "subclusters {:#x} are allocated and zero at once",
                             subclusters.raw());
  if (!entry.compressed() && subclusters.any_allocated() && entry.host_offset() == 0)
    image_.report.corruption(place.origin, "subclusters {:#x} are allocated in no cluster",
                             subclusters.raw());
}

void MappingCheck::add_entry(L2Entry entry, const Place& place) {
  if (entry.raw() == 0) return;
  if (entry.compressed())
    add_compressed(entry, place);
  else
    add_standard(entry, place);
}

void MappingCheck::add_standard(L2Entry entry, const Place& place) {
  const std::uint64_t host_offset = entry.host_offset();
  if (entry.has_reserved_bits(image_.geometry))
    image_.report.corruption(place.origin, "L2 entry {:#x} has reserved bits set", entry.raw());
  if (entry.reads_as_zeros() && image_.header.version < 3)
    image_.report.corruption(place.origin, "a zero cluster in a version 2 image");
  if (host_offset == 0) {
    if (entry.copied()) image_.report.corruption(place.origin, "it is marked as copied, but has no cluster");
    return;
  }
  if (host_offset % image_.geometry.cluster_size() != 0) {
    image_.report.corruption(place.origin, "the data at {} is not aligned to a cluster", host_offset);
    return;
  }
  const std::uint64_t there = image_.file_size - std::min(host_offset, image_.file_size);
  if (there < needed_bytes(entry, place.origin))
    image_.report.corruption(place.origin, "the data at {} runs past the end of the file", host_offset);
  if (there == 0) return;
  image_.add_data({host_offset, 1}, place.references, place.origin);
  check_copied(entry.copied(), host_offset, place.origin);
}

// How much of a cluster must be in the file. A cluster that reads as zeros is not read, what is past the end
// of the disk is not either, and where the disk of a snapshot ends is not known here.
std::uint64_t MappingCheck::needed_bytes(L2Entry entry, const Origin& origin) const {
  const bool is_read = !entry.reads_as_zeros() && !image_.geometry.extended_l2 && origin.snapshot == 0 &&
                       origin.number < image_.header.size;
  return is_read ? std::min(image_.geometry.cluster_size(), image_.header.size - origin.number) : 1;
}

void MappingCheck::add_compressed(L2Entry entry, const Place& place) {
  const Extent host{entry.compressed_offset(image_.geometry), entry.compressed_length(image_.geometry)};
  if (entry.copied()) image_.report.corruption(place.origin, "a compressed cluster is marked as copied");
  // The file may end with the compressed data, before the sector does.
  const std::uint64_t end = image_.file_clusters << image_.geometry.cluster_bits;
  if (host.offset >= image_.file_size || host.length > end - host.offset) {
    image_.report.corruption(place.origin, "the compressed data at {} runs past the end of the file",
                             host.offset);
    return;
  }
  image_.add_data(host, place.references, place.origin);
}

void MappingCheck::count_statistics(std::span<const std::byte> table) {
  CheckResult& result = image_.report.result();
  std::uint64_t expected_offset = 0;
  for (std::size_t position = 0; position < table.size(); position += image_.geometry.l2_entry_bytes()) {
    const L2Entry entry(load_be<std::uint64_t>(table, position));
    if (entry.compressed()) {
      ++result.allocated_clusters;
      ++result.compressed_clusters;
      ++result.fragmented_clusters;
    } else if (entry.host_offset() != 0) {
      ++result.allocated_clusters;
      if (expected_offset != 0 && entry.host_offset() != expected_offset) ++result.fragmented_clusters;
      expected_offset = entry.host_offset() + image_.geometry.cluster_size();
    }
  }
}

}  // namespace e2qcow::qcow2
