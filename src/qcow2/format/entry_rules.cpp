// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/entry_rules.h"

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

using enum Fault::Kind;

void check_subclusters(Faults& faults, const ClusterEntry& entry, const ImageLimits& limits) {
  const std::uint64_t raw = entry.subclusters.raw();
  if (entry.cluster.compressed()) {
    if (raw != 0) faults.push_back({corrupt, "a compressed cluster has subclusters ({0:#x})", raw});
    return;
  }
  if (entry.subclusters.contradicts_itself())
    faults.push_back({corrupt, "subclusters {0:#x} are allocated and zero at once", raw});
  if (entry.subclusters.any_allocated() && !has_cluster(entry.cluster, limits))
    faults.push_back({corrupt, "subclusters {0:#x} are allocated in no cluster", raw});
}

// The file may end with the compressed data, before the last sector and the cluster do.
void check_compressed(Faults& faults, L2Entry entry, const ImageLimits& limits) {
  if (entry.copied()) faults.push_back({harmless, "a compressed cluster is marked as copied"});
  const std::uint64_t host_offset = entry.compressed_offset(limits.geometry);
  const std::uint64_t end = round_up(limits.file_size, limits.geometry.cluster_size());
  if (host_offset >= limits.file_size || entry.compressed_length(limits.geometry) > end - host_offset)
    faults.push_back({truncated, "the compressed data at {0} runs past the end of the file", host_offset});
}

// How much of a cluster is read, at most: nothing past the end of the disk.
std::uint64_t bytes_read(const ClusterEntry& entry, std::uint64_t disk_bytes, Geometry geometry) {
  if (geometry.extended_l2)
    return std::min(entry.subclusters.allocated_end() * geometry.subcluster_size(), disk_bytes);
  return entry.cluster.reads_as_zeros() ? 0 : disk_bytes;
}

// A cluster that is never read may be cut off, but it must begin inside the file to have a refcount.
void check_end(Faults& faults, const ClusterEntry& entry, std::uint64_t disk_bytes,
               const ImageLimits& limits) {
  const std::uint64_t host_offset = entry.cluster.host_offset();
  const std::uint64_t available = limits.file_size - std::min(host_offset, limits.file_size);
  const bool is_cut = available < bytes_read(entry, disk_bytes, limits.geometry);
  if (is_cut || available == 0)
    faults.push_back(
        {is_cut ? truncated : harmless, "the data at {0} runs past the end of the file", host_offset});
}

void check_standard(Faults& faults, const ClusterEntry& entry, std::uint64_t disk_bytes,
                    const ImageLimits& limits) {
  const L2Entry cluster = entry.cluster;
  if (cluster.has_reserved_bits(limits.geometry))
    faults.push_back({corrupt, "L2 entry {0:#x} has reserved bits set", cluster.raw()});
  if (cluster.reads_as_zeros() && limits.version < 3)
    faults.push_back({corrupt, "a zero cluster in a version 2 image"});
  if (!has_cluster(cluster, limits)) {
    // QEMU ignores the flag if there is no cluster. For zeros so do we; for others it may be that the offset
    // was lost.
    if (cluster.copied() && !cluster.reads_as_zeros())
      faults.push_back({corrupt, "it is marked as copied, but has no cluster"});
  } else if (cluster.host_offset() % limits.geometry.cluster_size() != 0) {
    faults.push_back({corrupt, "the data at {0} is not aligned to a cluster", cluster.host_offset()});
  } else {
    check_end(faults, entry, disk_bytes, limits);
  }
}

}  // namespace

ClusterEntry load_cluster_entry(std::span<const std::byte> table, Geometry geometry) {
  return {L2Entry(load_be<std::uint64_t>(table, 0)),
          Subclusters(geometry.extended_l2 ? load_be<std::uint64_t>(table, sizeof(std::uint64_t)) : 0)};
}

std::optional<Fault> fault_of_table(ClusterUse use, Extent host, const ImageLimits& limits) {
  if (host.offset % limits.geometry.cluster_size() != 0)
    return Fault{corrupt, "the {1} at {0} is not aligned to a cluster", host.offset, name_of(use)};
  if (host.offset > limits.file_size || host.length > limits.file_size - host.offset)
    return Fault{truncated, "the {1} at {0} runs past the end of the file", host.offset, name_of(use)};
  return std::nullopt;
}

Faults faults_of(L1Entry entry) {
  Faults faults;
  if (entry.has_reserved_bits()) faults.push_back({corrupt, "{0:#x} has reserved bits set", entry.raw()});
  if (entry.host_offset() == 0 && entry.copied())
    faults.push_back({corrupt, "it is marked as copied, but has no L2 table"});
  return faults;
}

Faults faults_of(const ClusterEntry& entry, std::uint64_t disk_bytes, const ImageLimits& limits) {
  Faults faults;
  if (limits.geometry.extended_l2) check_subclusters(faults, entry, limits);
  if (entry.cluster.compressed())
    check_compressed(faults, entry.cluster, limits);
  else
    check_standard(faults, entry, disk_bytes, limits);
  return faults;
}

}  // namespace e2qcow::qcow2
