// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/plan.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

namespace e2qcow::work {
namespace {

std::uint32_t chosen_bits(const ImageFormat& format, std::uint64_t disk_size, std::span<const Extent> extents,
                          const qcow2::WeighImage& weigh) {
  if (format.cluster_bits) return *format.cluster_bits;
  if (!format.compression) return qcow2::best_cluster_bits(disk_size, extents, format.digest_to_write());
  if (format.smallest) return qcow2::best_compressed_bits(disk_size, extents, weigh);
  return qcow2::usual_compressed_bits(disk_size, extents);
}

}  // namespace

qcow2::Layout plan_image(const ImageFormat& format, std::uint64_t disk_size, std::span<const Extent> extents,
                         const std::string& name, const qcow2::WeighImage& weigh) {
  if (format.version < 3 && format.compression && format.compression->type == qcow2::CompressionType::zstd)
    fail(Errc::unsupported, name + ": an image of version 2 cannot hold zstd");
  const qcow2::Geometry geometry{chosen_bits(format, disk_size, extents, weigh)};
  const qcow2::Layout layout =
      qcow2::plan_layout(geometry, disk_size, qcow2::count_clusters(extents, geometry));
  if (!layout.is_valid())
    fail(Errc::small_clusters, fmt::format("{}: clusters of {} bytes are too small for a disk of {} bytes",
                                           name, geometry.cluster_size(), disk_size));
  return layout;
}

}  // namespace e2qcow::work
