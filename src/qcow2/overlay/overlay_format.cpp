// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay_format.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/bytes.h"
#include "qcow2/write/image_header.h"

namespace e2qcow::qcow2 {
namespace {

// Small clusters, because programs write scattered blocks and the rest of each cluster is copied; but large
// enough that the L1 table, which is kept in memory, stays small.
constexpr std::uint32_t kSmallestClusterBits = 12;
constexpr std::uint64_t kWantedL1Bytes = 1 << 20;
constexpr std::size_t kMaxNameBytes = 1023;  // qcow2 spec, "backing_file_size"

std::uint32_t overlay_cluster_bits(std::uint64_t disk_size) {
  std::uint32_t bits = kSmallestClusterBits;
  while (bits < kMaxClusterBits &&
         divide_up(disk_size, Geometry{bits}.l2_reach()) * sizeof(std::uint64_t) > kWantedL1Bytes)
    ++bits;
  return bits;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// The first cluster: header, extensions, the end of those, the backing file's name.
std::vector<std::byte> first_cluster(const Layout& layout, const OverlayBase& base) {
  const auto format = bytes_of("qcow2");
  std::vector<Extension> extensions{{kBackingFormat, {format.begin(), format.end()}}};
  if (base.dump_record) extensions.push_back(*base.dump_record);
  Header header = make_header(layout, 3, std::nullopt, {});
  std::uint64_t end = header.header_length + 8;  // of the extensions, with their end mark
  for (const Extension& extension : extensions) end += 8 + round_up(extension.data.size(), 8);
  if (base.name.size() > kMaxNameBytes || end + base.name.size() > layout.geometry.cluster_size())
    fail(Errc::refused, fmt::format("{}: the name is too long for a backing file", base.name));
  header.backing_file_offset = end;
  header.backing_file_size = static_cast<std::uint32_t>(base.name.size());
  std::vector<std::byte> bytes = encode_header(header, extensions);
  std::ranges::copy(bytes_of(base.name), bytes.begin() + static_cast<std::ptrdiff_t>(end));
  return bytes;
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
  const std::vector<std::byte> front = first_cluster(layout, base);
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
