// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/snapshot_check.h"

#include "qcow2/format/snapshots.h"

namespace e2qcow::qcow2 {

void add_snapshots(ImageCheck& image, MappingCheck& mappings) {
  if (image.header.snapshot_count == 0) return;
  const auto problem = [&](std::uint32_t number, const std::string& text) {
    image.report.corruption({"snapshot table entry", number}, "{}", text);
  };
  const SnapshotTable table = read_snapshots(image.file, image.header, problem);
  const Origin origin{"snapshot table at", image.header.snapshots_offset};
  image.add_metadata(ClusterUse::snapshot_table, {image.header.snapshots_offset, table.bytes}, origin);
  std::uint32_t number = 0;
  for (const Snapshot& snapshot : table.snapshots) {
    ++number;
    if (snapshot.l1_entries > kMaxL1Bytes / sizeof(std::uint64_t)) {
      image.report.corruption({"snapshot", number}, "an L1 table of {} entries is too large",
                              snapshot.l1_entries);
      continue;
    }
    mappings.add_l1_table(snapshot.l1_offset, snapshot.l1_entries, number);
  }
}

}  // namespace e2qcow::qcow2
