// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/image_check.h"

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/format/read_header.h"

namespace e2qcow::qcow2 {
namespace {

// Without its external data file it is not known.
std::uint64_t end_of_data(const Header& header, std::uint64_t file_size, const ReadableFile* data_file) {
  if (!header.has_data_file()) return file_size;
  return data_file == nullptr ? std::uint64_t{1} << 62 : data_file->size();
}

}  // namespace

ImageCheck::ImageCheck(const ReadableFile& image_file, const ReadableFile* data_file)
    : file(image_file),
      file_size(file.size()),
      header(read_header_without_tables(file)),
      extension_list(read_extensions(file, header)),
      geometry(header.geometry()),
      limits{geometry, header.version, file_size},
      data_limits{geometry, header.version, end_of_data(header, file_size, data_file),
                  header.has_data_file()},
      file_clusters(divide_up(file_size, geometry.cluster_size())) {
  refuse_encryption(extension_list.extensions, file.name());
}

bool ImageCheck::add_table(ClusterUse use, Extent host, const Origin& origin) {
  if (const auto fault = fault_of_table(use, host, limits)) {
    add_fault(origin, *fault);
    return false;
  }
  const std::uint64_t end = divide_up(host.end(), geometry.cluster_size());
  for (std::uint64_t cluster = host.offset >> geometry.cluster_bits; cluster < end; ++cluster) {
    const ClusterUse other = clusters.use(cluster);
    if (other != ClusterUse::none) {
      report.corruption(origin, "the {} at {} overlaps the {} at {}", name_of(use), host.offset,
                        name_of(other), cluster << geometry.cluster_bits);
      return false;
    }
    clusters.set_use(cluster, use);
    clusters.add_references(cluster, 1);
  }
  return true;
}

void ImageCheck::add_data(Extent host, std::uint64_t count, const Origin& origin) {
  const std::uint64_t end = divide_up(host.end(), geometry.cluster_size());
  for (std::uint64_t cluster = host.offset >> geometry.cluster_bits; cluster < end; ++cluster) {
    const ClusterUse other = clusters.use(cluster);
    if (other != ClusterUse::none && other != ClusterUse::data) {
      report.corruption(origin, "the data at {} overlaps the {} at {}", host.offset, name_of(other),
                        cluster << geometry.cluster_bits);
      continue;
    }
    clusters.set_use(cluster, ClusterUse::data);
    clusters.add_references(cluster, count);
  }
}

}  // namespace e2qcow::qcow2
