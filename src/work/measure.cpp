// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/measure.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/extents.h"
#include "base/file/data_cursor.h"
#include "image/extent_source.h"
#include "work/write_image.h"

namespace e2qcow::work {
namespace {

std::vector<ImageWeight> weigh(const Device& device, const MeasureOptions& options,
                               const MeasureResult& result) {
  const ext2::SelectedExtents& selected = result.survey.selected;
  std::vector<ImageWeight> weights;
  for (std::uint32_t bits = qcow2::kMinClusterBits; bits <= qcow2::kMaxClusterBits; ++bits) {
    const qcow2::Geometry geometry{bits};
    const auto layout =
        qcow2::plan_layout(geometry, result.disk_size, qcow2::count_clusters(selected.extents, geometry));
    if (!layout.is_valid()) continue;
    const std::uint64_t digests =
        qcow2::digest_bytes(options.format.digest_to_write(), selected.extents, geometry);
    weights.push_back({geometry.cluster_size(), layout.end() + digests});
    if (options.format.compression)
      weights.back().image_size =
          weigh_image(options.format, layout, device.file(), selected.extents, options.transfer);
  }
  return weights;
}

constexpr std::uint64_t kSamples = 512;

// The clusters with any of the data, which ascends.
std::vector<Extent> clusters_of(std::span<const Extent> data, std::uint64_t cluster_size) {
  std::vector<Extent> clusters;
  for (const Extent& extent : data)
    add_joined(clusters, {round_down(extent.offset, cluster_size),
                          round_up(extent.end(), cluster_size) - round_down(extent.offset, cluster_size)});
  return clusters;
}

// Of the clusters, `kSamples` that are spread evenly; or all.
std::vector<Extent> sample_of(std::span<const Extent> clusters, std::uint64_t cluster_size) {
  const std::uint64_t count = total_length(clusters) / cluster_size;
  const std::uint64_t step = std::max<std::uint64_t>(1, count / kSamples) * cluster_size;
  std::vector<Extent> sample;
  std::uint64_t skip = 0;  // bytes of clusters before the next one of the sample
  for (const Extent& run : clusters) {
    for (; skip < run.length; skip += step) add_joined(sample, {run.offset + skip, cluster_size});
    skip -= run.length;
  }
  return sample;
}

// Both ascend without overlaps.
std::vector<Extent> parts_in(std::span<const Extent> extents, std::span<const Extent> ranges) {
  std::vector<Extent> parts;
  for (const Extent& range : ranges)
    for (const Extent& extent : from_first_after(extents, range.offset)) {
      if (extent.offset >= range.end()) break;
      parts.push_back(common_part(extent, range));
    }
  return parts;
}

// Whatever is in the blocks.
std::uint64_t bound_of(const Device& device, const ImageFormat& format, const MeasureResult& result) {
  const auto no_weight = [](const qcow2::Layout&) { return std::uint64_t{0}; };
  const auto& extents = result.survey.selected.extents;
  const qcow2::Layout layout = plan_image(format, result.disk_size, extents, device.name(), no_weight);
  return layout.end() + qcow2::digest_bytes(format.digest_to_write(), extents, layout.geometry);
}

ImageWeight estimate(const Device& device, const MeasureOptions& options, const MeasureResult& result) {
  const ImageFormat format{.compression = qcow2::Compression{}};
  const auto& extents = result.survey.selected.extents;
  const auto no_weight = [](const qcow2::Layout&) { return std::uint64_t{0}; };
  const auto layout_of = [&](std::uint32_t bits, const std::vector<Extent>& of) {
    return plan_image({.compression = format.compression, .cluster_bits = bits}, result.disk_size, of,
                      device.name(), no_weight);
  };
  const qcow2::Layout layout = plan_image(format, result.disk_size, extents, device.name(), no_weight);
  const std::uint64_t cluster_size = layout.geometry.cluster_size();
  const std::vector<Extent> clusters = clusters_of(data_in(device.file(), extents), cluster_size);
  const std::vector<Extent> sampled = sample_of(clusters, cluster_size);
  const std::vector<Extent> sample = parts_in(extents, sampled);
  const qcow2::Layout sample_layout = layout_of(layout.geometry.cluster_bits, sample);
  const std::uint64_t weight = weigh_image(format, sample_layout, device.file(), sample, options.transfer);
  const double factor = static_cast<double>(total_length(clusters)) /
                        static_cast<double>(std::max<std::uint64_t>(1, total_length(sampled)));
  const auto in_data = static_cast<double>(weight - std::min(weight, sample_layout.data_offset)) * factor;
  return {cluster_size, layout.data_offset + static_cast<std::uint64_t>(in_data)};
}

}  // namespace

std::uint64_t MeasureResult::best_cluster_size() const {
  return std::ranges::min_element(weights.rbegin(), weights.rend(), {}, &ImageWeight::image_size)
      ->cluster_size;
}

MeasureResult measure(const Device& device, const MeasureOptions& options) {
  MeasureResult result;
  result.survey = survey(device, {.kind = options.kind,
                                  .transfer = options.transfer,
                                  .remember = options.remember || device.may_be_dying()});
  result.disk_size = image_size(device.file());
  result.weights = weigh(device, options, result);
  result.bound = bound_of(device, options.format, result);
  if (options.estimate) {
    result.estimate = estimate(device, options, result);
    result.estimate_bound = bound_of(device, {.compression = qcow2::Compression{}}, result);
  }
  return result;
}

}  // namespace e2qcow::work
