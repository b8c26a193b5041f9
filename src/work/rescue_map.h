// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace e2qcow::work {

// A map of the areas of a device that were read, and of those that were not, as GNU ddrescue writes and reads
// it. Source: GNU ddrescue manual, "Mapfile structure"
class RescueMap {
 public:
  enum class Status : char {
    not_tried = '?',
    not_trimmed = '*',
    not_scraped = '/',
    bad = '-',
    finished = '+'
  };

  // A map of a device of this size of which nothing else was tried. Both lists ascend without overlaps and
  // lie inside the device; an area that is in both is bad.
  RescueMap(std::uint64_t size, std::span<const Extent> finished, std::span<const Extent> bad);

  // `name` is for messages. Throws Errc::corrupt if the text is not such a map.
  static RescueMap parse(std::string_view text, const std::string& name);

  // The areas that are not finished, up to the largest possible offset; ascending, not touching.
  std::vector<Extent> unfinished() const;

  // The same map, but areas that are bad only because `known` forbade reading them get their status from
  // `known`: they were not tried, and another program should try them.
  RescueMap explained_by(const RescueMap& known) const;

  std::string text(std::string_view program) const;

 private:
  struct Part {
    Extent range;
    Status status;
  };
  RescueMap() = default;
  // The status from `position` on; past the end of the map it is "not tried".
  Part at(std::uint64_t position) const;
  // From the end of the map up to `end`.
  void append_until(std::uint64_t end, Status status);

  std::vector<Part> parts_;  // ascending, without gaps; neighbours differ
};

}  // namespace e2qcow::work
