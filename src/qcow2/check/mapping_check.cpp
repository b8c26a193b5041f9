// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/mapping_check.h"

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/format/table_reading.h"

namespace e2qcow::qcow2 {

void MappingCheck::add_l1_table(const L1Table& table) {
  std::vector<std::uint64_t> l2_offsets;
  walk_l1(image_.file, table, image_, [&](L1Entry entry, const Origin& origin) {
    add_l2_table(entry, origin);
    l2_offsets.push_back(entry.host_offset());
  });
  report_duplicates(l2_offsets, {"L1 table at", table.host_offset, table.snapshot});
}

void MappingCheck::add_l2_table(L1Entry entry, const Origin& origin) {
  const std::uint64_t host_offset = entry.host_offset();
  const std::uint64_t cluster = host_offset >> image_.geometry.cluster_bits;
  const bool is_aligned = host_offset % image_.geometry.cluster_size() == 0;
  if (is_aligned && image_.clusters.use(cluster) == ClusterUse::l2_table)
    image_.clusters.add_references(cluster, 1);
  else if (image_.add_table(ClusterUse::l2_table, {host_offset, image_.geometry.cluster_size()}, origin))
    l2_tables_.push_back({host_offset, origin.number * image_.geometry.l2_reach(), origin.snapshot});
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

// The L1 tables of a disk and its snapshots share L2 tables, but within one L1 table each L2 table occurs
// once.
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
  const std::uint64_t references =
      image_.clusters.references(table.host_offset >> image_.geometry.cluster_bits);
  Origin origin{"guest offset", table.guest_offset, table.snapshot};
  for (std::size_t position = 0; position < bytes.size(); position += image_.geometry.l2_entry_bytes()) {
    add_entry(load_cluster_entry(bytes.subspan(position), image_.geometry), references, origin);
    origin.number += image_.geometry.cluster_size();
  }
}

void MappingCheck::add_entry(const ClusterEntry& entry, std::uint64_t references, const Origin& origin) {
  if (entry.cluster.raw() == 0 && entry.subclusters.raw() == 0) return;
  for (const Fault& fault : faults_of(entry, disk_bytes(origin), image_.data_limits))
    image_.add_fault(origin, fault);
  if (image_.header.has_data_file()) return add_external(entry.cluster, origin);
  if (entry.cluster.compressed())
    add_compressed(entry.cluster, references, origin);
  else
    add_standard(entry.cluster, references, origin);
}

// What is in another file has no refcounts.
void MappingCheck::add_external(L2Entry entry, const Origin& origin) {
  if (entry.compressed())
    image_.report.corruption(origin, "a compressed cluster in an image with an external data file");
}

// How much of the disk is in a cluster. The size of a snapshot's disk is not known here.
std::uint64_t MappingCheck::disk_bytes(const Origin& origin) const {
  if (origin.snapshot != 0 || origin.number >= image_.header.size) return 0;
  return std::min(image_.geometry.cluster_size(), image_.header.size - origin.number);
}

void MappingCheck::add_standard(L2Entry entry, std::uint64_t references, const Origin& origin) {
  const std::uint64_t host_offset = entry.host_offset();
  const bool has_cluster = host_offset != 0 && host_offset % image_.geometry.cluster_size() == 0;
  if (!has_cluster || host_offset >= image_.file_size) return;
  image_.add_data({host_offset, 1}, references, origin);
  check_copied(entry.copied(), host_offset, origin);
}

void MappingCheck::add_compressed(L2Entry entry, std::uint64_t references, const Origin& origin) {
  const Extent host{entry.compressed_offset(image_.geometry), entry.compressed_length(image_.geometry)};
  const std::uint64_t end = image_.file_clusters << image_.geometry.cluster_bits;
  if (host.offset < image_.file_size && host.length <= end - host.offset)
    image_.add_data(host, references, origin);
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
