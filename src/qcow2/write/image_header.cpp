// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/image_header.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::size_t kMaxNameBytes = 1023;  // qcow2 spec, "backing_file_size"

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

Header make_header(const Layout& layout, std::uint32_t version, std::optional<Compression> compression,
                   std::span<const Extension> extensions) {
  Header header;
  header.version = version;
  header.cluster_bits = layout.geometry.cluster_bits;
  header.size = layout.disk_size;
  header.l1_size = static_cast<std::uint32_t>(layout.l1_entries);
  header.l1_table_offset = layout.l1_offset;
  header.refcount_table_offset = layout.refcount_table_offset;
  header.refcount_table_clusters = static_cast<std::uint32_t>(layout.refcounts.table_clusters);
  if (compression && compression->type == CompressionType::zstd) {
    header.compression_type = CompressionType::zstd;
    header.incompatible_features |= kCompressionType;
  }
  const bool is_dump = std::ranges::find(extensions, kDumpRecord, &Extension::type) != extensions.end();
  if (version == 3 && is_dump) header.autoclear_features |= kUnchangedDump;
  header.header_length = version == 2 ? kHeaderLengthV2 : kHeaderLengthV3;
  return header;
}

std::vector<std::byte> encode_header_with_backing(Header header, std::vector<Extension> extensions,
                                                  const std::string& backing_name) {
  const auto format = bytes_of("qcow2");
  extensions.insert(extensions.begin(), {kBackingFormat, {format.begin(), format.end()}});
  std::uint64_t end = header.header_length + 8;  // of the extensions, with their end mark
  for (const Extension& extension : extensions) end += 8 + round_up(extension.data.size(), 8);
  if (backing_name.size() > kMaxNameBytes || end + backing_name.size() > header.geometry().cluster_size())
    fail(Errc::refused, fmt::format("{}: the name is too long for a backing file", backing_name));
  header.backing_file_offset = end;
  header.backing_file_size = static_cast<std::uint32_t>(backing_name.size());
  std::vector<std::byte> bytes = encode_header(header, extensions);
  std::ranges::copy(bytes_of(backing_name), bytes.begin() + static_cast<std::ptrdiff_t>(end));
  return bytes;
}

}  // namespace e2qcow::qcow2
