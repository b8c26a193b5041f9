// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "work/plan.h"
#include "work/survey.h"

namespace e2qcow::work {

struct MeasureOptions {
  DumpKind kind = DumpKind::metadata;
  ImageFormat format{};  // except the cluster size
  TransferOptions transfer{};
  bool remember = false;  // what was read, for map files
};

struct ImageWeight {
  std::uint64_t cluster_size;
  std::uint64_t image_size;  // without compression, at most
};

struct MeasureResult {
  Survey survey{};
  std::uint64_t disk_size = 0;
  std::vector<ImageWeight> weights{};  // one for each possible cluster size, ascending

  // The cluster size with the smallest image; of equals, the largest.
  std::uint64_t best_cluster_size() const;
};

// The sizes of possible dumps. Without compression they follow from the plan; with it, each dump is made and
// thrown away.
MeasureResult measure(const Device& device, const MeasureOptions& options);

}  // namespace e2qcow::work
