// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/places.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include "base/hashing.h"
#include "ext2/texts/known_words.h"
#include "work/audit/strings.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kBlock = std::uint64_t{1} << 63;
constexpr std::size_t kMaxCandidates = 1 << 20;

std::uint64_t key_of(std::uint64_t place, std::string_view text) {
  return combined_hash(combined_hash(place, 1), std::hash<std::string_view>()(text));
}

std::uint64_t group_key(std::uint64_t place, std::size_t length) {
  return combined_hash(combined_hash(place, 2), length);
}

bool should_be_zero(ext2::TextKind kind) {
  return kind == ext2::TextKind::slack || kind == ext2::TextKind::deleted_name;
}

// More than this is no chance: 10 standard deviations.
bool is_too_many(std::uint64_t matches, double expected) {
  return static_cast<double>(matches) > expected + 10 * std::sqrt(expected) + 10;
}

// Accepts as many as possible of the expectations, the smallest first.
std::vector<bool> within(const std::vector<double>& expectations, double accepted) {
  std::vector<std::size_t> order(expectations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return expectations[i]; });
  std::vector<bool> result(expectations.size());
  for (const std::size_t i : order) {
    accepted -= expectations[i];
    if (accepted < 0) break;
    result[i] = true;
  }
  return result;
}

}  // namespace

std::uint64_t Places::place_of(std::uint64_t owner, std::uint64_t offset) const {
  return owner != 0 ? owner : kBlock | offset / block_size_;
}

void Places::add(const PrivateTexts::String& string) {
  const std::uint64_t place = place_of(string.owner, string.offset);
  strings_.push_back({key_of(place, string.bytes), string.id, string.offset});
  groups_.push_back(
      {group_key(place, string.bytes.size()), 1, std::exp2(-static_cast<double>(bits(string.bytes)))});
}

void Places::prepare() {
  std::ranges::sort(strings_, {}, [](const String& string) { return std::pair(string.key, string.id); });
  std::ranges::sort(groups_, {}, &Group::key);
  std::size_t joined = 0;
  for (const Group& group : groups_) {
    if (joined == 0 || groups_[joined - 1].key != group.key) {
      groups_[joined++] = group;
      continue;
    }
    groups_[joined - 1].strings += group.strings;
    groups_[joined - 1].chance += group.chance;
  }
  groups_.resize(joined);
}

Places::Group* Places::group_of(std::uint64_t place, std::size_t length) {
  const std::uint64_t key = group_key(place, length);
  const auto group = std::ranges::lower_bound(groups_, key, {}, &Group::key);
  return group != groups_.end() && group->key == key ? &*group : nullptr;
}

void Places::compare(const ext2::Text& text) {
  if (strings_.empty() || ext2::is_kept(text)) return;
  for_each_string(text, [this](const ext2::Text& string) { compare_string(string); });
}

void Places::compare_string(const ext2::Text& text) {
  if (ext2::is_filler(text.view())) return;
  const std::uint64_t place = place_of(text.owner, text.offset);
  Group* const group = group_of(place, text.bytes.size());
  if (group == nullptr) return;
  const bool in_unused = should_be_zero(text.kind);
  if (!in_unused) ++group->compared;
  const std::uint64_t key = key_of(place, text.view());
  const auto first = std::ranges::lower_bound(strings_, key, {}, &String::key);
  const std::span same(first, std::ranges::upper_bound(strings_, key, {}, &String::key));
  if (same.empty() || candidates_.size() >= kMaxCandidates) return;
  const auto at_offset = std::ranges::find(same, text.offset, &String::offset);
  const bool is_same_offset = at_offset != same.end();
  candidates_.push_back({{is_same_offset ? at_offset->id : same.front().id, text.offset},
                         static_cast<std::size_t>(group - groups_.data()),
                         is_same_offset,
                         in_unused});
}

Places::Result Places::judge(double accepted) const {
  std::vector<double> by_place;
  std::vector<double> by_offset;
  for (const Group& group : groups_) {
    by_place.push_back(group.chance * static_cast<double>(group.compared));
    by_offset.push_back(group.chance);
  }
  const auto counts_by_place = within(by_place, accepted);
  for (std::size_t i = 0; i < groups_.size(); ++i)
    if (counts_by_place[i]) by_offset[i] = 0;
  const auto counts_by_offset = within(by_offset, accepted);

  Result result;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    auto& judged = counts_by_place[i]    ? result.by_place
                   : counts_by_offset[i] ? result.by_offset
                                         : result.not_judged;
    judged += groups_[i].strings;
    if (!counts_by_place[i]) result.expected += by_place[i];
  }
  std::vector<Match> rest;
  for (const Candidate& candidate : candidates_) {
    const std::size_t i = candidate.group;
    // Random names are only where names are: nothing fills unused bytes by chance.
    const bool counts =
        candidate.in_unused || counts_by_place[i] || (candidate.is_same_offset && counts_by_offset[i]);
    (counts ? result.matches : rest).push_back(candidate.match);
  }
  result.chance_matches = rest.size();
  result.has_too_many_matches = is_too_many(rest.size(), result.expected);
  if (result.has_too_many_matches) result.matches.insert(result.matches.end(), rest.begin(), rest.end());
  return result;
}

}  // namespace e2qcow::work
