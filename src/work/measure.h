// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "work/plan.h"
#include "work/survey.h"

namespace e2qcow::work {

struct MeasureOptions {
  DumpKind kind = DumpKind::metadata;
  ImageFormat format{};  // but the cluster size
  TransferOptions transfer{};
  bool remember = false;  // what was looked at, for map files
};

struct ImageWeight {
  std::uint64_t cluster_size;
  std::uint64_t image_size;  // without compression, at most
};

struct MeasureResult {
  Survey survey{};
  std::uint64_t disk_size = 0;
  std::vector<ImageWeight> weights{};  // one for each cluster size that is possible, ascending

  // The cluster size with the smallest image; of equals, the largest.
  std::uint64_t best_cluster_size() const;
};

// How large dumps would be. Without compression the plan tells; with it, each is made and thrown away.
MeasureResult measure(const Device& device, const MeasureOptions& options);

}  // namespace e2qcow::work
