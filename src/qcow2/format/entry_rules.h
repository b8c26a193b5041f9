// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "qcow2/format/cluster_use.h"
#include "qcow2/format/fault.h"
#include "qcow2/format/format.h"

// The rules for entries of tables. The reader and the checker share them: what one refuses the other reports.
namespace e2qcow::qcow2 {

// The properties besides the entry that the rules depend on.
struct ImageLimits {
  Geometry geometry;
  std::uint32_t version;
  std::uint64_t file_size;
  bool has_data_file = false;  // then the file is that one, and a cluster may be at its offset 0
};

// Whether the entry, not compressed, has a cluster. qcow2 spec, "Standard Cluster Descriptor": in an external
// data file offset 0 is valid, and the copied flag tells it from none.
inline bool has_cluster(L2Entry entry, const ImageLimits& limits) {
  return entry.host_offset() != 0 || (limits.has_data_file && entry.copied());
}

// In the order of the rules; empty if the entry is valid.
using Faults = std::vector<Fault>;

// A table, or another structure in whole clusters of its own. The last cluster may be cut off after it.
std::optional<Fault> fault_of_table(ClusterUse use, Extent host, const ImageLimits& limits);

// Only the entry; for the table it points to see fault_of_table().
Faults faults_of(L1Entry entry);

// An L2 entry. Without extended entries the subclusters are 0.
struct ClusterEntry {
  L2Entry cluster;
  Subclusters subclusters;
};
// From the beginning of `table`.
ClusterEntry load_cluster_entry(std::span<const std::byte> table, Geometry geometry);

// `disk_bytes`: how many bytes of the guest cluster are inside the disk; 0 if that is not known.
Faults faults_of(const ClusterEntry& entry, std::uint64_t disk_bytes, const ImageLimits& limits);

}  // namespace e2qcow::qcow2
