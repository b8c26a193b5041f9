// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay_format.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "qcow2/write/image_header.h"

namespace e2qcow::qcow2 {
namespace {

// Small clusters, because programs write scattered blocks and the rest of each cluster is copied; but large
// enough that the L1 table, which is kept in memory, stays small.
constexpr std::uint32_t kSmallestClusterBits = 12;
constexpr std::uint64_t kWantedL1Bytes = 1 << 20;

std::uint32_t overlay_cluster_bits(std::uint64_t disk_size) {
  std::uint32_t bits = kSmallestClusterBits;
  while (bits < kMaxClusterBits &&
         divide_up(disk_size, Geometry{bits}.l2_reach()) * sizeof(std::uint64_t) > kWantedL1Bytes)
    ++bits;
  return bits;
}

}  // namespace

Layout plan_overlay(std::uint64_t disk_size) {
  const Geometry geometry{overlay_cluster_bits(disk_size)};
  const ClusterCount all{divide_up(disk_size, geometry.cluster_size()),
                         divide_up(disk_size, geometry.l2_reach())};
  return plan_layout(geometry, disk_size, all);
}

void create_overlay(File& file, const OverlayBase& base) {
  const Layout layout = plan_overlay(base.disk_size);
  if (!layout.is_valid())
    fail(Errc::unsupported,
         fmt::format("{}: a disk of {} bytes is too large for an overlay", file.name(), base.disk_size));
  const std::uint64_t cluster_size = layout.geometry.cluster_size();
  std::vector<Extension> extensions;
  if (base.dump_record) extensions.push_back(*base.dump_record);
  const std::vector<std::byte> front =
      encode_header_with_backing(make_header(layout, 3, std::nullopt, {}), extensions, base.name);
  std::vector<std::byte> block(cluster_size);  // of refcounts: everything up to and including them
  const std::uint64_t used = layout.refcount_blocks_offset / cluster_size + 1;
  for (std::uint64_t i = 0; i < used; ++i) store_be(std::span(block), i * 2, std::uint16_t{1});
  std::vector<std::byte> entry(sizeof(std::uint64_t));
  store_be(std::span(entry), 0, layout.refcount_blocks_offset);
  file.write(layout.refcount_blocks_offset, block);
  file.write(layout.refcount_table_offset, entry);
  file.write(0, front);
}

}  // namespace e2qcow::qcow2
