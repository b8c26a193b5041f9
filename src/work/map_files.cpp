// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/map_files.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/extents.h"
#include "work/rescue_map.h"

namespace e2qcow::work {
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

std::string rescue_map_text(const Device& device, const Survey& survey) {
  const std::vector<Extent> bad = on_device(device.file().losses(), device.part());
  const RescueMap map(device.size(), on_device(survey.selected.looked_at, device.part()), bad);
  return (device.known() == nullptr ? map : map.explained_by(*device.known())).text(kProgram);
}

std::string domain_map_text(const Device& device, const Survey& survey) {
  std::vector<Extent> domain = on_device(survey.selected.looked_at, device.part());
  const Extent last{device.size() - std::min(device.size(), kSector), kSector};
  domain.push_back(last);
  std::ranges::copy(device.partition_table(), std::back_inserter(domain));
  return RescueMap(device.size(), sorted_and_joined(std::move(domain)), {}).text(kProgram);
}

}  // namespace e2qcow::work
