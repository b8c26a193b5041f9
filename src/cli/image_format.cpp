// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/image_format.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <limits>

#include "base/extents.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

constexpr std::uint32_t kCompressedClusterBits = 16;
constexpr std::uint64_t kExpectedRatio = 4;
constexpr int kMaxZstdLevel = 22;
constexpr int kMaxZlibLevel = 9;

std::optional<std::uint32_t> cluster_bits_of(const std::string& text) {
  if (text.empty() || text == "auto") return std::nullopt;
  const std::uint64_t size = parse_size(text);
  if (!std::has_single_bit(size) || size < 512 || size > (2 << 20))
    throw CLI::ValidationError("--cluster-size: " + text + " is not a power of two from 512 to 2M");
  return static_cast<std::uint32_t>(std::countr_zero(size));
}

qcow2::Compression compression_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  qcow2::Compression compression;
  int max_level = kMaxZstdLevel;
  if (name == "zlib") {
    compression.type = qcow2::CompressionType::zlib;
    max_level = kMaxZlibLevel;
  } else if (name != "zstd") {
    throw CLI::ValidationError("--compress: '" + text + "' is not zstd[:LEVEL], zlib[:LEVEL] or none");
  }
  if (colon == std::string::npos) return compression;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, compression.level);
  if (error != std::errc() || rest != end || compression.level < 1 || compression.level > max_level)
    throw CLI::ValidationError(fmt::format("--compress: levels of {} are 1 to {}", name, max_level));
  return compression;
}

// What the tables take; the rest is data.
std::uint64_t table_bytes(const qcow2::Layout& layout) {
  return layout.data_offset;
}

// A guess, without compressing anything. What tables take is known, and the smaller the clusters, the less
// the compressor sees at once: so much worse than with 64 KiB are 32, 16, 8 and 4 KiB (percent, measured on
// file systems of programs and texts).
std::uint32_t likely_compressed_bits(std::uint64_t disk_size, std::span<const Extent> extents) {
  constexpr std::array kPenalty{0, 3, 7, 11, 17};
  const std::uint64_t bytes = total_length(extents);
  std::uint32_t best = kCompressedClusterBits;
  std::uint64_t best_cost = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t step = 0; step < kPenalty.size(); ++step) {
    const qcow2::Geometry geometry{kCompressedClusterBits - step};
    const auto layout = qcow2::plan_layout(geometry, disk_size, qcow2::count_clusters(extents, geometry));
    const std::uint64_t cost = table_bytes(layout) + bytes / kExpectedRatio * (100 + kPenalty[step]) / 100;
    if (!layout.is_valid() || cost >= best_cost) continue;
    best = geometry.cluster_bits;
    best_cost = cost;
  }
  return best;
}

// Tries all sizes. A size whose tables alone are larger than the best image so far is not tried.
std::uint32_t best_compressed_bits(std::uint64_t disk_size, std::span<const Extent> extents,
                                   const WeighImage& weigh) {
  std::uint32_t best = qcow2::kMaxClusterBits;
  std::uint64_t best_size = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t bits = qcow2::kMaxClusterBits; bits >= qcow2::kMinClusterBits; --bits) {
    const qcow2::Geometry geometry{bits};
    const auto layout = qcow2::plan_layout(geometry, disk_size, qcow2::count_clusters(extents, geometry));
    if (!layout.is_valid() || table_bytes(layout) >= best_size) continue;
    const std::uint64_t size = weigh(layout);
    if (size >= best_size) continue;
    best = bits;
    best_size = size;
  }
  return best;
}

// True for huge disks with little on them: a table for each 512 MiB would be larger than all that is there.
bool tables_outweigh_data(std::uint64_t disk_size, std::span<const Extent> extents) {
  constexpr std::uint64_t kNotWorthIt = 16 << 20;
  const qcow2::Geometry geometry{kCompressedClusterBits};
  const auto layout = qcow2::plan_layout(geometry, disk_size, qcow2::count_clusters(extents, geometry));
  return table_bytes(layout) > std::max(kNotWorthIt, total_length(extents) / kExpectedRatio);
}

std::uint32_t chosen_bits(const ImageFormat& format, std::uint64_t disk_size, std::span<const Extent> extents,
                          const WeighImage& weigh) {
  if (format.cluster_bits) return *format.cluster_bits;
  if (!format.compression) return qcow2::best_cluster_bits(disk_size, extents);
  if (format.smallest) return best_compressed_bits(disk_size, extents, weigh);
  std::uint32_t bits = kCompressedClusterBits;
  if (tables_outweigh_data(disk_size, extents)) bits = likely_compressed_bits(disk_size, extents);
  while (bits < qcow2::kMaxClusterBits && qcow2::Geometry{bits}.max_disk_size() < disk_size) ++bits;
  return bits;
}

}  // namespace

void add_format_options(CLI::App& command, FormatOptions& options) {
  const CLI::Validator is_given(
      [](const std::string& text) { return text.empty() ? "nothing is given" : std::string(); }, "");
  command.add_option("--compress", options.compress, "zstd[:LEVEL] (default), zlib[:LEVEL] or none")
      ->type_name("HOW")
      ->check(is_given);
  command
      .add_option("--compat", options.compat,
                  "1.1: version 3 of the format (default); 0.10: version 2, for old programs")
      ->type_name("VERSION")
      ->check(CLI::IsMember({"1.1", "0.10"}).description(""));
  command
      .add_option("--cluster-size", options.cluster_size,
                  "512 to 2M, or auto for the smallest image (default: 64k; auto with --compress none)")
      ->type_name("SIZE")
      ->check(is_given);
}

ImageFormat image_format(const FormatOptions& options) {
  ImageFormat format;
  format.version = options.compat == "0.10" ? 2 : 3;
  format.cluster_bits = cluster_bits_of(options.cluster_size);
  format.smallest = options.cluster_size == "auto";
  if (options.compress == "none") return format;
  const std::string by_default = format.version == 2 ? "zlib" : "zstd";
  format.compression = compression_of(options.compress.empty() ? by_default : options.compress);
  if (format.version == 2 && format.compression->type == qcow2::CompressionType::zstd)
    throw CLI::ValidationError("--compress: images with --compat 0.10 cannot hold zstd; use zlib or none");
  return format;
}

qcow2::Layout plan_image(const ImageFormat& format, std::uint64_t disk_size, std::span<const Extent> extents,
                         const std::string& name, const WeighImage& weigh) {
  const qcow2::Geometry geometry{chosen_bits(format, disk_size, extents, weigh)};
  const qcow2::Layout layout =
      qcow2::plan_layout(geometry, disk_size, qcow2::count_clusters(extents, geometry));
  if (!layout.is_valid())
    fail(Errc::unsupported,
         fmt::format("{}: clusters of {} are too small for a disk of {}; use larger ones or auto", name,
                     human_size(geometry.cluster_size()), human_size(disk_size)));
  return layout;
}

}  // namespace e2qcow::cli
