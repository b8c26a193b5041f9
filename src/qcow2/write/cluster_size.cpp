// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/cluster_size.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/extents.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint32_t kUsualBits = 16;
constexpr std::uint64_t kExpectedRatio = 4;

Layout layout_with(std::uint32_t cluster_bits, std::uint64_t disk_size, std::span<const Extent> extents) {
  const Geometry geometry{cluster_bits};
  return plan_layout(geometry, disk_size, count_clusters(extents, geometry));
}

// The size of the tables; the rest is data.
std::uint64_t table_bytes(const Layout& layout) {
  return layout.data_offset;
}

struct Range {
  std::uint32_t largest = kMaxClusterBits;
  std::uint32_t smallest = kMinClusterBits;
};

// The size with the smallest cost(layout), which is at least what the tables take.
template <typename Cost>
std::uint32_t cheapest_bits(Range range, std::uint64_t disk_size, std::span<const Extent> extents,
                            Cost cost) {
  std::uint32_t best = range.largest;
  std::uint64_t best_cost = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t bits = range.largest; bits >= range.smallest; --bits) {
    if (Geometry{bits}.max_disk_size() < disk_size) break;
    const Layout layout = layout_with(bits, disk_size, extents);
    if (!layout.is_valid() || table_bytes(layout) >= best_cost) continue;
    const std::uint64_t its_cost = cost(layout);
    if (its_cost >= best_cost) continue;
    best = bits;
    best_cost = its_cost;
  }
  return best;
}

// True for huge disks with little data: a table for each 512 MiB would be larger than the data.
bool tables_outweigh_data(std::uint64_t disk_size, std::span<const Extent> extents) {
  constexpr std::uint64_t kNotWorthIt = 16 << 20;
  return table_bytes(layout_with(kUsualBits, disk_size, extents)) >
         std::max(kNotWorthIt, total_length(extents) / kExpectedRatio);
}

// An estimate, without compressing anything. The size of the tables is known; smaller clusters compress
// worse, because the compressor sees less at once: 32, 16, 8 and 4 KiB are this much worse than 64 KiB
// (percent, measured on file systems with programs and texts).
std::uint32_t likely_compressed_bits(std::uint64_t disk_size, std::span<const Extent> extents) {
  constexpr std::array kPenalty{0, 3, 7, 11, 17};
  const std::uint64_t expected = total_length(extents) / kExpectedRatio;
  const Range range{kUsualBits, kUsualBits + 1 - kPenalty.size()};
  return cheapest_bits(range, disk_size, extents, [&](const Layout& layout) {
    return table_bytes(layout) + expected * (100 + kPenalty[kUsualBits - layout.geometry.cluster_bits]) / 100;
  });
}

}  // namespace

std::uint32_t best_cluster_bits(std::uint64_t disk_size, std::span<const Extent> extents,
                                std::optional<DigestKind> digest) {
  return cheapest_bits({}, disk_size, extents, [&](const Layout& layout) {
    return layout.end() + digest_bytes(digest, extents, layout.geometry);
  });
}

std::uint32_t best_compressed_bits(std::uint64_t disk_size, std::span<const Extent> extents,
                                   const WeighImage& weigh) {
  return cheapest_bits({}, disk_size, extents, weigh);
}

std::uint32_t usual_compressed_bits(std::uint64_t disk_size, std::span<const Extent> extents) {
  std::uint32_t bits = kUsualBits;
  if (tables_outweigh_data(disk_size, extents)) bits = likely_compressed_bits(disk_size, extents);
  while (bits < kMaxClusterBits && Geometry{bits}.max_disk_size() < disk_size) ++bits;
  return bits;
}

}  // namespace e2qcow::qcow2
