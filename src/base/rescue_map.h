// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace e2qcow {

// A map of what was read of a device and what was not, as GNU ddrescue writes and reads them.
// Source: GNU ddrescue manual, "Mapfile structure"
class RescueMap {
 public:
  enum class Status : char {
    not_tried = '?',
    not_trimmed = '*',
    not_scraped = '/',
    bad = '-',
    finished = '+'
  };

  // Of a device of this size, of which nothing else was tried. Both lists ascend without overlaps and lie on
  // the device; what is in both is bad.
  RescueMap(std::uint64_t size, std::span<const Extent> finished, std::span<const Extent> bad);

  // `name` is for messages. Throws Errc::corrupt where the text is not such a map.
  static RescueMap parse(std::string_view text, const std::string& name);

  // What is not finished, up to the largest offset there can be; ascending, not touching.
  std::vector<Extent> unfinished() const;

  // The same, where what is bad because `known` kept it from being read has its status there: it was not
  // tried, and another program should try it.
  RescueMap explained_by(const RescueMap& known) const;

  std::string text(std::string_view program) const;

 private:
  struct Part {
    Extent range;
    Status status;
  };
  RescueMap() = default;
  // What is said from `position` on: behind the map, that it was not tried.
  Part at(std::uint64_t position) const;
  // Up to `end`, from where the map ends.
  void append_until(std::uint64_t end, Status status);

  std::vector<Part> parts_;  // ascending, without gaps; neighbours differ
};

}  // namespace e2qcow
