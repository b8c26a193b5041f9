// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "qcow2/check/checker.h"
#include "qcow2/format/format.h"
#include "qcow2/write/layout.h"
#include "qcow2/write/writer.h"
#include "tests/support/memory_file.h"

namespace e2qcow::qcow2 {

// A small image as the writer makes it, to be patched: a disk of 128 KiB in clusters of 512 bytes. An L2
// table maps 32 KiB; there is data in guest clusters 0, 1 and 80, so that L1 entries 0 and 1 are used. The
// host clusters are
//   0 header, 1 L1, 2 refcount table, 3 refcount block, 4 and 5 L2, 6 to 8 data
class TestImage {
 public:
  static constexpr std::uint64_t kCluster = 512;
  static constexpr std::uint64_t kL1 = 1 * kCluster;
  static constexpr std::uint64_t kRefcountTable = 2 * kCluster;
  static constexpr std::uint64_t kRefcountBlock = 3 * kCluster;
  static constexpr std::uint64_t kL2 = 4 * kCluster;        // of L1 entry 0
  static constexpr std::uint64_t kSecondL2 = 5 * kCluster;  // of L1 entry 1
  static constexpr std::uint64_t kData = 6 * kCluster;
  static constexpr std::uint64_t kLastData = 8 * kCluster;
  static constexpr std::uint64_t kSize = 9 * kCluster;
  static constexpr std::uint64_t kLastDataEntry = kSecondL2 + 16 * sizeof(std::uint64_t);
  static constexpr std::uint64_t kCopied = 1ULL << 63;
  static constexpr std::uint64_t kCompressed = 1ULL << 62;

  // Where fields of the header are.
  static constexpr std::uint64_t kDiskSizeField = 24;
  static constexpr std::uint64_t kL1SizeField = 36;
  static constexpr std::uint64_t kSnapshotCountField = 60;
  static constexpr std::uint64_t kSnapshotsOffsetField = 64;
  static constexpr std::uint64_t kIncompatibleField = 72;
  static constexpr std::uint64_t kAutoclearField = 88;
  static constexpr std::uint64_t kRefcountOrderField = 96;

  explicit TestImage(std::uint32_t version = 3, std::vector<Extension> extensions = {}) {
    const Geometry geometry{9};
    const std::vector<Extent> extents{{0, 2 * kCluster}, {80 * kCluster, kCluster}};
    const Layout layout = plan_layout(geometry, 128 << 10, count_clusters(extents, geometry));
    Writer writer(file, layout, {.version = version, .extensions = [&] { return extensions; }});
    const std::vector<std::byte> data(2 * kCluster, std::byte{0x55});
    Batch batch;
    batch.pieces = {{0, std::span(data)}, {80 * kCluster, std::span(data).first(kCluster)}};
    writer.append(batch);
    writer.finish();
  }

  template <typename T>
  T get(std::uint64_t offset) const {
    return load_be<T>(file.data(), offset);
  }
  template <typename T>
  void put(std::uint64_t offset, T value) {
    store_be(std::span(file.data()), offset, value);
  }
  void put64(std::uint64_t offset, std::uint64_t value) { put(offset, value); }
  void flip64(std::uint64_t offset, std::uint64_t bits) { put(offset, get<std::uint64_t>(offset) ^ bits); }

  // Of the cluster at `host_offset`; in 16 bits.
  void set_refcount(std::uint64_t host_offset, std::uint16_t refcount) {
    put(kRefcountBlock + host_offset / kCluster * sizeof refcount, refcount);
  }

  // Zeros, with refcounts of 1. Returns where they are.
  std::uint64_t add_clusters(std::uint64_t count = 1) {
    const std::uint64_t host_offset = file.data().size();
    file.data().resize(host_offset + count * kCluster);
    for (std::uint64_t i = 0; i < count; ++i) set_refcount(host_offset + i * kCluster, 1);
    return host_offset;
  }

  MemoryFile file;
};

using Messages = std::vector<std::string>;

// What a check has to say.
inline Messages found_in(const TestImage& image) {
  return check(image.file).messages;
}
// The same without the leaks: clusters reached only through an unread table are not referenced.
inline Messages corruptions_in(const TestImage& image) {
  Messages messages = found_in(image);
  std::erase_if(messages, [](const std::string& message) { return message.starts_with("leak: "); });
  return messages;
}

}  // namespace e2qcow::qcow2
