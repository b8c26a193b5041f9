// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/format_options.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <optional>

#include "cli/command.h"
#include "cli/completion/words.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

constexpr int kMaxZstdLevel = 22;
constexpr int kMaxZlibLevel = 9;

std::optional<std::uint32_t> cluster_bits_of(const std::string& text) {
  if (text.empty() || text == "auto") return std::nullopt;
  const std::uint64_t size = parse_size("--cluster-size", text);
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

std::optional<DigestKind> digest_of(const FormatOptions& options) {
  if (options.digest == "none") return std::nullopt;
  if (options.compat == "0.10" && !options.digest.empty())
    throw CLI::ValidationError("--digest: images with --compat 0.10 cannot hold digests");
  return options.digest == "sha256" ? DigestKind::sha256 : DigestKind::xxh3;
}

}  // namespace

void add_format_options(CLI::App& command, FormatOptions& options) {
  command.add_option("--compress", options.compress, "zstd[:LEVEL] (default), zlib[:LEVEL] or none")
      ->type_name("HOW")
      ->check(proposal({"zstd", "zstd:9", "zstd:19", "zlib", "zlib:9", "none"}));
  command
      .add_option("--compat", options.compat,
                  "1.1: version 3 of the format (default); 0.10: version 2, for old programs")
      ->type_name("VERSION")
      ->check(one_of({"1.1", "0.10"}));
  command
      .add_option("--cluster-size", options.cluster_size,
                  "512 to 2M, or auto for the smallest image (default: 64k; auto with --compress none)")
      ->type_name("SIZE")
      ->check(proposal({"auto", "4k", "64k", "256k", "1M"}));
  command
      .add_option("--digest", options.digest,
                  "What the image holds of each cluster, by which verify finds decay: xxh3 (default), sha256 "
                  "or none")
      ->type_name("HOW")
      ->check(one_of({"xxh3", "sha256", "none"}));
}

work::ImageFormat image_format(const FormatOptions& options) {
  work::ImageFormat format;
  format.version = options.compat == "0.10" ? 2 : 3;
  format.cluster_bits = cluster_bits_of(options.cluster_size);
  format.smallest = options.cluster_size == "auto";
  format.digest = digest_of(options);
  if (options.compress == "none") return format;
  const std::string by_default = format.version == 2 ? "zlib" : "zstd";
  format.compression = compression_of(options.compress.empty() ? by_default : options.compress);
  if (format.version == 2 && format.compression->type == qcow2::CompressionType::zstd)
    throw CLI::ValidationError("--compress: images with --compat 0.10 cannot hold zstd; use zlib or none");
  return format;
}

}  // namespace e2qcow::cli
