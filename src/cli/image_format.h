// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "qcow2/codec/codec.h"
#include "qcow2/write/layout.h"

namespace e2qcow::cli {

// The options that say what kind of qcow2 is written.
struct FormatOptions {
  std::string compress{};
  std::string compat = "1.1";
  std::string cluster_size{};  // empty: the default
};
void add_format_options(CLI::App& command, FormatOptions& options);

struct ImageFormat {
  std::uint32_t version = 3;
  std::optional<qcow2::Compression> compression;
  std::optional<std::uint32_t> cluster_bits;  // absent: as the plan suggests
  bool smallest = false;                      // else the default where the plan does not speak against it
};

// Throws CLI::ValidationError where the options make no sense.
ImageFormat image_format(const FormatOptions& options);

// How large an image with this layout becomes; that takes as long as making it.
using WeighImage = std::function<std::uint64_t(const qcow2::Layout&)>;

// Where everything goes in an image of the given extents. `name` is the image's, for messages. `weigh` is
// only used where the smallest compressed image is wanted.
qcow2::Layout plan_image(const ImageFormat& format, std::uint64_t disk_size, std::span<const Extent> extents,
                         const std::string& name, const WeighImage& weigh);

}  // namespace e2qcow::cli
