// SPDX-License-Identifier: GPL-2.0-or-later
// Map files of GNU ddrescue.
#include "work/rescue_map.h"

#include <system_error>

#include "tests/fuzz/promises.h"

using namespace e2qcow;

namespace {

void require_ascending(std::span<const Extent> areas) {
  std::uint64_t end = 0;
  for (const Extent& area : areas) {
    require(area.offset >= end && !area.empty() && area.offset + area.length > area.offset);
    end = area.end();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const work::RescueMap map = work::RescueMap::parse(text, "map");
    require_ascending(map.unfinished());
    const std::string again = map.text("fuzz");
    require(work::RescueMap::parse(again, "map").text("fuzz") == again);
    require_ascending(map.explained_by(map).unfinished());
  } catch (const std::system_error&) {  // refused, with a reason
  }
  return 0;
}
