// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/measure.h"

#include <algorithm>

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
    weights.push_back({geometry.cluster_size(), layout.end()});
    if (options.format.compression)
      weights.back().image_size =
          weigh_image(options.format, layout, device.file(), selected.extents, options.transfer);
  }
  return weights;
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
  return result;
}

}  // namespace e2qcow::work
