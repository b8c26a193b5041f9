// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "qcow2/codec/codec.h"
#include "qcow2/write/cluster_size.h"
#include "qcow2/write/layout.h"

namespace e2qcow::work {

// The kind of qcow2 that is written.
struct ImageFormat {
  std::uint32_t version = 3;
  std::optional<qcow2::Compression> compression{};  // absent: none
  std::optional<std::uint32_t> cluster_bits{};      // absent: chosen from the plan
  bool smallest = false;                            // try all sizes; else 64 KiB, or what suits a huge disk
  std::optional<DigestKind> digest = DigestKind::xxh3;  // of clusters; absent: none

  // Version 2 has no bit that shows whether digests are out of date.
  std::optional<DigestKind> digest_to_write() const { return version < 3 ? std::nullopt : digest; }
};

// The layout of an image with the given extents. `name` is the image's, for messages. `weigh` is used only if
// the smallest compressed image is requested. Throws Errc::small_clusters, or Errc::unsupported for zstd in
// version 2.
qcow2::Layout plan_image(const ImageFormat& format, std::uint64_t disk_size, std::span<const Extent> extents,
                         const std::string& name, const qcow2::WeighImage& weigh);

}  // namespace e2qcow::work
