// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/image_header.h"

#include <algorithm>

namespace e2qcow::qcow2 {

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

}  // namespace e2qcow::qcow2
