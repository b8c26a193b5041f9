// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/refcount_check.h"

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/format/table_reading.h"

namespace e2qcow::qcow2 {
namespace {

template <typename T>
RefcountPage decode_whole_bytes(std::span<const std::byte> bytes) {
  RefcountPage page;
  for (std::size_t i = 0; i < page.size(); ++i) page[i] = load_be<T>(bytes, i * sizeof(T));
  return page;
}

// Sub-byte refcounts begin at the least significant bit.
RefcountPage decode_parts_of_bytes(std::span<const std::byte> bytes, std::uint32_t bits) {
  RefcountPage page;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const auto byte = std::to_integer<std::uint32_t>(bytes[i * bits / 8]);
    page[i] = byte >> (i * bits % 8) & ((1U << bits) - 1);
  }
  return page;
}

}  // namespace

RefcountPage decode_refcounts(std::span<const std::byte> bytes, std::uint32_t refcount_order) {
  switch (refcount_order) {
    case 3:
      return decode_whole_bytes<std::uint8_t>(bytes);
    case 4:
      return decode_whole_bytes<std::uint16_t>(bytes);
    case 5:
      return decode_whole_bytes<std::uint32_t>(bytes);
    case 6:
      return decode_whole_bytes<std::uint64_t>(bytes);
    default:
      return decode_parts_of_bytes(bytes, 1U << refcount_order);
  }
}

void RefcountCheck::add_tables() {
  const std::uint64_t cluster_size = image_.geometry.cluster_size();
  has_block_.resize(image_.header.refcount_table_clusters * cluster_size / sizeof(std::uint64_t));
  walk_refcounts(image_.file, image_.header, image_, [&](std::uint64_t index, std::uint64_t host_offset) {
    has_block_[index] = true;
    blocks_.push_back({host_offset, index * image_.geometry.refcount_block_entries()});
  });
  for_each_page([&](std::uint64_t first_cluster, std::span<const std::byte> bytes_of_page) {
    if (is_zero(bytes_of_page)) return;
    const RefcountPage refcounts = decode_refcounts(bytes_of_page, image_.geometry.refcount_order);
    for (std::uint64_t i = 0; i < refcounts.size() && first_cluster + i < image_.file_clusters; ++i)
      if (refcounts[i] == 1) image_.clusters.set_refcount_is_one(first_cluster + i);
  });
}

// visit(first_cluster, bytes): the stored refcounts of one page of clusters. Those for clusters past the end
// of the file are left out.
template <typename Visit>
void RefcountCheck::for_each_page(Visit visit) const {
  const std::uint64_t page_bytes = (ClusterUsage::kPageClusters << image_.geometry.refcount_order) / 8;
  const auto end = std::ranges::lower_bound(blocks_, image_.file_clusters, {}, &Block::first_cluster);
  for_each_table(image_.file, std::span(blocks_.begin(), end), image_.geometry.cluster_size(),
                 [&](const Block& block, std::span<const std::byte> bytes) {
                   std::uint64_t cluster = block.first_cluster;
                   while (!bytes.empty() && cluster < image_.file_clusters) {
                     visit(cluster, bytes.first(page_bytes));
                     bytes = bytes.subspan(page_bytes);
                     cluster += ClusterUsage::kPageClusters;
                   }
                 });
}

void RefcountCheck::compare() {
  for_each_page([&](std::uint64_t first_cluster, std::span<const std::byte> bytes) {
    if (!image_.clusters.knows_page_of(first_cluster) && is_zero(bytes)) return;
    compare(first_cluster, decode_refcounts(bytes, image_.geometry.refcount_order));
  });
  const RefcountPage no_refcounts{};
  for (const std::uint64_t first_cluster : image_.clusters.pages()) {
    const std::uint64_t index = first_cluster / image_.geometry.refcount_block_entries();
    if (index >= has_block_.size() || !has_block_[index]) compare(first_cluster, no_refcounts);
  }
}

void RefcountCheck::compare(std::uint64_t first_cluster, const RefcountPage& refcounts) {
  CheckResult& result = image_.report.result();
  for (std::uint64_t i = 0; i < refcounts.size() && first_cluster + i < image_.file_clusters; ++i) {
    const std::uint64_t references = image_.clusters.references(first_cluster + i);
    if (refcounts[i] == 0 && references == 0) continue;
    const std::uint64_t host_offset = (first_cluster + i) << image_.geometry.cluster_bits;
    result.image_end_offset = std::max(result.image_end_offset, host_offset + image_.geometry.cluster_size());
    const Origin origin{"cluster at", host_offset};
    if (refcounts[i] < references)
      image_.report.corruption(origin, "its refcount is {}, its references are {}", refcounts[i], references);
    if (refcounts[i] > references)
      image_.report.leak(origin, "its refcount is {}, its references are {}", refcounts[i], references);
  }
}

}  // namespace e2qcow::qcow2
