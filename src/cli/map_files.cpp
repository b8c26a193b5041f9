// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/map_files.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/rescue_map.h"

namespace e2qcow::cli {
namespace {

constexpr std::string_view kProgram = "e2qcow " E2QCOW_VERSION;

std::vector<Extent> on_device(std::span<const Extent> extents, Extent part) {
  std::vector<Extent> moved;
  for (const Extent& extent : extents) {
    const std::uint64_t begin = std::min(extent.offset, part.length);
    moved.push_back({part.offset + begin, std::min(extent.end(), part.length) - begin});
  }
  return moved;
}

}  // namespace

std::string rescue_map_text(const DeviceInput& input, std::span<const Extent> looked_at) {
  const std::vector<Extent> bad = on_device(input.file().losses(), input.part());
  const RescueMap map(input.device_size(), on_device(looked_at, input.part()), bad);
  return (input.known() == nullptr ? map : map.explained_by(*input.known())).text(kProgram);
}

std::string domain_map_text(const DeviceInput& input, std::span<const Extent> looked_at) {
  std::vector<Extent> domain = on_device(looked_at, input.part());
  const Extent last{input.device_size() - std::min(input.device_size(), kSector), kSector};
  if (domain.empty() || domain.back().end() <= last.offset) domain.push_back(last);
  return RescueMap(input.device_size(), domain, {}).text(kProgram);
}

}  // namespace e2qcow::cli
