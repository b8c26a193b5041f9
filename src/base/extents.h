// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace e2qcow {

constexpr bool overlaps(Extent a, Extent b) {
  return a.offset < b.end() && b.offset < a.end();
}

// The common part of both; empty if they do not overlap.
constexpr Extent common_part(Extent a, Extent b) {
  const std::uint64_t begin = std::max(a.offset, b.offset);
  return {begin, std::max(begin, std::min(a.end(), b.end())) - begin};
}

constexpr std::uint64_t total_length(std::span<const Extent> extents) {
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.length;
  return total;
}

// Adds an extent that begins in or after the last one, and joins the two if they touch or overlap.
inline void add_joined(std::vector<Extent>& extents, Extent extent) {
  if (extents.empty() || extents.back().end() < extent.offset)
    extents.push_back(extent);
  else
    extents.back().length = std::max(extents.back().end(), extent.end()) - extents.back().offset;
}

// In ascending order, and joined if they touch or overlap.
inline std::vector<Extent> sorted_and_joined(std::vector<Extent> extents) {
  std::ranges::sort(extents, {}, &Extent::offset);
  std::vector<Extent> result;
  for (const Extent& extent : extents) add_joined(result, extent);
  return result;
}

// From the first on that ends after `offset`, of extents that ascend without overlaps.
inline std::span<const Extent> from_first_after(std::span<const Extent> extents, std::uint64_t offset) {
  return {std::ranges::upper_bound(extents, offset, {}, &Extent::end), extents.end()};
}

// The first part at or after `offset` of extents that ascend without overlaps; absent if there is none.
inline std::optional<Extent> next_part(std::span<const Extent> extents, std::uint64_t offset) {
  const auto rest = from_first_after(extents, offset);
  if (rest.empty()) return std::nullopt;
  const std::uint64_t begin = std::max(offset, rest.front().offset);
  return Extent{begin, rest.front().end() - begin};
}

// Whether one of extents that ascend without overlaps overlaps the range.
inline bool any_overlaps(std::span<const Extent> extents, Extent range) {
  const auto rest = from_first_after(extents, range.offset);
  return !rest.empty() && rest.front().offset < range.end();
}

// The parts of the extents that are in none of the others, or in one of them. All ascend without overlaps, as
// do the results, which do not touch.
inline std::vector<Extent> without(std::span<const Extent> extents, std::span<const Extent> others) {
  std::vector<Extent> result;
  for (Extent extent : extents) {
    for (const Extent& other : from_first_after(others, extent.offset)) {
      if (other.offset >= extent.end()) break;
      if (other.offset > extent.offset) add_joined(result, {extent.offset, other.offset - extent.offset});
      const std::uint64_t next = std::max(extent.offset, std::min(extent.end(), other.end()));
      extent = {next, extent.end() - next};
    }
    if (!extent.empty()) add_joined(result, extent);
  }
  return result;
}
inline std::vector<Extent> inside(std::span<const Extent> extents, std::span<const Extent> others) {
  std::vector<Extent> result;
  for (const Extent& extent : extents)
    for (const Extent& other : from_first_after(others, extent.offset)) {
      if (other.offset >= extent.end()) break;
      add_joined(result, common_part(extent, other));
    }
  return result;
}

}  // namespace e2qcow
