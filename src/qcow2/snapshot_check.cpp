#include "qcow2/snapshot_check.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kSnapshotHeaderBytes = 40;
constexpr std::uint64_t kMinExtraBytesV3 = 16;              // qcow2 spec, "Snapshots"
constexpr std::uint64_t kMaxExtraBytes = 1024;              // QEMU's limit
constexpr std::uint64_t kMaxSnapshotTableBytes = 64 << 20;  // QEMU's limit

struct Snapshot {
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_entries = 0;
  std::uint64_t extra_bytes = 0;
  std::uint64_t bytes = 0;  // of the entry, with id and name
};

Snapshot decode_snapshot(std::span<const std::byte, kSnapshotHeaderBytes> bytes) {
  Snapshot snapshot;
  snapshot.l1_offset = load_be<std::uint64_t>(bytes, 0);
  snapshot.l1_entries = load_be<std::uint32_t>(bytes, 8);
  snapshot.extra_bytes = load_be<std::uint32_t>(bytes, 36);
  const std::uint64_t id_bytes = load_be<std::uint16_t>(bytes, 12);
  const std::uint64_t name_bytes = load_be<std::uint16_t>(bytes, 14);
  snapshot.bytes = kSnapshotHeaderBytes + snapshot.extra_bytes + id_bytes + name_bytes;
  return snapshot;
}

// The snapshots up to the first that makes no sense, and the bytes they take.
struct SnapshotTable {
  std::vector<Snapshot> snapshots;
  std::uint64_t bytes = 0;
};

SnapshotTable read_snapshot_table(ImageCheck& image) {
  SnapshotTable table;
  const std::uint64_t room =
      std::min(image.file_size - image.header.snapshots_offset, kMaxSnapshotTableBytes);
  for (std::uint32_t number = 1; number <= image.header.snapshot_count; ++number) {
    throw_if_stopped();
    const Origin origin{"snapshot table entry", number};
    std::array<std::byte, kSnapshotHeaderBytes> bytes;
    if (bytes.size() > room - table.bytes) {
      image.report.corruption(origin, "it runs past the end of the file");
      break;
    }
    image.file.read(image.header.snapshots_offset + table.bytes, bytes);
    const Snapshot snapshot = decode_snapshot(bytes);
    if (snapshot.bytes > room - table.bytes || snapshot.extra_bytes > kMaxExtraBytes) {
      image.report.corruption(origin, "its size, {} bytes, makes no sense", snapshot.bytes);
      break;
    }
    if (image.header.version >= 3 && snapshot.extra_bytes < kMinExtraBytesV3) {
      image.report.corruption(origin, "it has {} bytes of extra data and needs {}", snapshot.extra_bytes,
                              kMinExtraBytesV3);
    }
    table.snapshots.push_back(snapshot);
    // The file may end before the padding of the last entry.
    table.bytes = std::min(room, table.bytes + round_up(snapshot.bytes, 8));
  }
  return table;
}

}  // namespace

void add_snapshots(ImageCheck& image, MappingCheck& mappings) {
  if (image.header.snapshot_count == 0) return;
  const SnapshotTable table = read_snapshot_table(image);
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
