// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/snapshots.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kSnapshotBytes = 40;
constexpr std::uint64_t kMinExtraBytesV3 = 16;      // qcow2 spec, "Snapshots"
constexpr std::uint64_t kMaxExtraBytes = 1024;      // QEMU's limit
constexpr std::uint64_t kMaxTableBytes = 64 << 20;  // QEMU's limit

struct SnapshotSizes {
  std::uint64_t extra;
  std::uint64_t id;
  std::uint64_t name;
  std::uint64_t all() const { return kSnapshotBytes + extra + id + name; }
};

SnapshotSizes snapshot_sizes(std::span<const std::byte> fixed) {
  return {load_be<std::uint32_t>(fixed, 36), load_be<std::uint16_t>(fixed, 12),
          load_be<std::uint16_t>(fixed, 14)};
}

std::string text_at(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t length) {
  return {reinterpret_cast<const char*>(bytes.data()) + offset, length};
}

Snapshot decode_snapshot(std::span<const std::byte> bytes) {
  const SnapshotSizes sizes = snapshot_sizes(bytes);
  Snapshot snapshot;
  snapshot.l1_offset = load_be<std::uint64_t>(bytes, 0);
  snapshot.l1_entries = load_be<std::uint32_t>(bytes, 8);
  snapshot.seconds = load_be<std::uint32_t>(bytes, 16);
  snapshot.vm_state_bytes = load_be<std::uint32_t>(bytes, 32);
  if (sizes.extra >= 8) snapshot.vm_state_bytes = load_be<std::uint64_t>(bytes, kSnapshotBytes);
  if (sizes.extra >= 16) snapshot.disk_size = load_be<std::uint64_t>(bytes, kSnapshotBytes + 8);
  snapshot.id = text_at(bytes, kSnapshotBytes + sizes.extra, sizes.id);
  snapshot.name = text_at(bytes, kSnapshotBytes + sizes.extra + sizes.id, sizes.name);
  return snapshot;
}

}  // namespace

SnapshotTable read_snapshots(const ReadableFile& file, const Header& header, const SnapshotProblem& problem) {
  SnapshotTable table;
  const std::uint64_t behind = file.size() - std::min(file.size(), header.snapshots_offset);
  const std::uint64_t room = std::min(behind, kMaxTableBytes);
  for (std::uint32_t number = 1; number <= header.snapshot_count; ++number) {
    throw_if_stopped();
    std::vector<std::byte> bytes(kSnapshotBytes);
    if (bytes.size() > room - table.bytes) {
      problem(number, {Fault::Kind::corrupt, "it runs past the end of the file"});
      break;
    }
    file.read(header.snapshots_offset + table.bytes, bytes);
    const SnapshotSizes sizes = snapshot_sizes(bytes);
    if (sizes.all() > room - table.bytes || sizes.extra > kMaxExtraBytes) {
      problem(number, {Fault::Kind::corrupt, "its size, {0} bytes, is not valid", sizes.all()});
      break;
    }
    if (header.version >= 3 && sizes.extra < kMinExtraBytesV3)
      problem(number, {Fault::Kind::harmless, "it has {0} bytes of extra data and needs 16", sizes.extra});
    bytes.resize(sizes.all());
    file.read(header.snapshots_offset + table.bytes, bytes);
    table.snapshots.push_back(decode_snapshot(bytes));
    // The file may end before the padding of the last entry.
    table.bytes = std::min(room, table.bytes + round_up(sizes.all(), 8));
  }
  return table;
}

}  // namespace e2qcow::qcow2
