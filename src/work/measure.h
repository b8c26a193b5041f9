// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "work/plan.h"
#include "work/survey.h"

namespace e2qcow::work {

struct MeasureOptions {
  DumpKind kind = DumpKind::metadata;
  ImageFormat format{};  // except the cluster size
  TransferOptions transfer{};
  bool remember = false;  // what was read, for map files
  bool estimate = false;  // also the size of a compressed image, which needs a sample of the data
};

struct ImageWeight {
  std::uint64_t cluster_size;
  std::uint64_t image_size;  // without compression, at most
};

struct MeasureResult {
  Survey survey{};
  std::uint64_t disk_size = 0;
  std::vector<ImageWeight> weights{};  // one for each possible cluster size, ascending
  // The most that an image takes which dump makes with this compression; exact for a stream without any.
  std::uint64_t bound = 0;
  std::uint64_t estimate_bound = 0;       // the same for that of the estimate
  std::optional<ImageWeight> estimate{};  // of an image that is compressed as `dump` does it without options

  // The cluster size with the smallest image; of equals, the largest.
  std::uint64_t best_cluster_size() const;
};

// The sizes of possible dumps. Without compression they follow from the plan; with it, each dump is made and
// thrown away. For the estimate, clusters all over the selection are compressed.
MeasureResult measure(const Device& device, const MeasureOptions& options);

}  // namespace e2qcow::work
