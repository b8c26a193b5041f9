// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/pattern_search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "base/bytes.h"
#include "base/hashing.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kFilterBits = 32;  // for each string: one of 32 windows of other text passes

constexpr unsigned char fold(unsigned char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<unsigned char>(byte + ('a' - 'A')) : byte;
}

// A random number for each byte, the same for both cases of a letter.
constexpr std::array<std::uint64_t, 256> kNumbers = [] {
  std::array<std::uint64_t, 256> numbers{};
  for (unsigned i = 0; i < numbers.size(); ++i)
    numbers[i] = combined_hash(0, fold(static_cast<unsigned char>(i)));
  return numbers;
}();

std::uint64_t number_of(std::byte byte) {
  return kNumbers[static_cast<unsigned char>(byte)];
}

std::uint64_t number_of(char byte) {
  return kNumbers[static_cast<unsigned char>(byte)];
}

// The hash of a window that moves by one byte.
class RollingHash {
 public:
  explicit RollingHash(std::size_t window) : window_(static_cast<int>(window)) {}
  void add(std::uint64_t number) { value_ = std::rotl(value_, 1) ^ number; }
  void remove(std::uint64_t number) { value_ ^= std::rotl(number, window_); }
  std::uint64_t value() const { return value_; }
  void clear() { value_ = 0; }

 private:
  int window_;
  std::uint64_t value_ = 0;
};

}  // namespace

PatternSearch::PatternSearch(std::size_t window) : window_(window) {
  assert(window >= 1 && window <= 63);
}

// Calls visit(offset, hash) for the windows without zeros.
template <typename Visit>
void PatternSearch::for_each_window(std::string_view text, Visit visit) const {
  RollingHash hash(window_);
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0) {
      hash.clear();
      run = 0;
      continue;
    }
    hash.add(number_of(text[i]));
    if (run >= window_) hash.remove(number_of(text[i - window_]));
    if (++run >= window_) visit(i + 1 - window_, hash.value());
  }
}

bool PatternSearch::add(std::string_view pattern, std::uint64_t id) {
  if (pattern.size() > kMaxLength) return false;
  bool has_window = false;
  for_each_window(pattern, [&](std::size_t, std::uint64_t) { has_window = true; });
  if (!has_window) return false;
  entries_.push_back(
      {0, id, static_cast<std::uint32_t>(texts_.size()), static_cast<std::uint16_t>(pattern.size()), 0});
  for (const char byte : pattern) texts_ += static_cast<char>(fold(static_cast<unsigned char>(byte)));
  return true;
}

void PatternSearch::prepare() {
  choose_windows();
  drop_equal_ones();
  fill_filter();
}

// Of each string the window that is rarest: names often begin or end alike.
void PatternSearch::choose_windows() {
  const std::uint64_t counters = std::bit_ceil(std::clamp<std::uint64_t>(texts_.size(), 1024, 1 << 24));
  std::vector<std::uint32_t> counts(counters);
  for (const Entry& entry : entries_)
    for_each_window(text_of(entry),
                    [&](std::size_t, std::uint64_t hash) { ++counts[hash & (counters - 1)]; });
  for (Entry& entry : entries_) {
    std::uint32_t rarest = ~0U;
    for_each_window(text_of(entry), [&](std::size_t offset, std::uint64_t hash) {
      const std::uint32_t count = counts[hash & (counters - 1)];
      if (count >= rarest) return;
      rarest = count;
      entry.hash = hash;
      entry.window_offset = static_cast<std::uint16_t>(offset);
    });
  }
}

void PatternSearch::drop_equal_ones() {
  std::ranges::stable_sort(entries_, [this](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : text_of(a) < text_of(b);
  });
  const auto rest = std::unique(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
    return a.hash == b.hash && text_of(a) == text_of(b);
  });
  entries_.erase(rest, entries_.end());
}

void PatternSearch::fill_filter() {
  const std::uint64_t bits = std::bit_ceil(std::max<std::uint64_t>(64, entries_.size() * kFilterBits));
  filter_.assign(bits / 64, 0);
  filter_mask_ = bits - 1;
  for (const Entry& entry : entries_) {
    const std::uint64_t bit = entry.hash & filter_mask_;
    filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
}

// `step`: the distance of the string's bytes.
void PatternSearch::look_up(std::span<const std::byte> bytes, std::size_t window_begin, std::size_t step,
                            std::uint64_t hash, std::size_t begins, const Found& found) const {
  auto entry = std::ranges::lower_bound(entries_, hash, {}, &Entry::hash);
  for (; entry != entries_.end() && entry->hash == hash; ++entry) {
    const std::size_t before = entry->window_offset * step;
    if (before > window_begin) continue;
    const std::size_t begin = window_begin - before;
    const std::size_t length = (entry->length - std::size_t{1}) * step + 1;
    if (begin >= begins || length > bytes.size() - begin) continue;
    const std::string_view text = text_of(*entry);
    bool same = true;
    for (std::size_t i = 0; same && i < text.size(); ++i) {
      same = fold(static_cast<unsigned char>(bytes[begin + i * step])) == static_cast<unsigned char>(text[i]);
      if (i + 1 < text.size() && step == 2) same = same && bytes[begin + i * step + 1] == std::byte{0};
    }
    if (same) found({begin, entry->id, step == 2});
  }
}

void PatternSearch::search(std::span<const std::byte> bytes, std::size_t begins, const Found& found) const {
  if (entries_.empty()) return;
  search_narrow(bytes, begins, found);
  search_wide(bytes, begins, found);
}

void PatternSearch::search_narrow(std::span<const std::byte> bytes, std::size_t begins,
                                  const Found& found) const {
  RollingHash hash(window_);
  std::size_t run = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == std::byte{0}) {
      hash.clear();
      run = 0;
      while (i + 8 < bytes.size() && load<std::uint64_t>(bytes, i + 1) == 0) i += 8;
      continue;
    }
    hash.add(number_of(bytes[i]));
    if (run >= window_) hash.remove(number_of(bytes[i - window_]));
    if (++run < window_ || !may_contain(hash.value())) continue;
    look_up(bytes, i + 1 - window_, 1, hash.value(), begins, found);
  }
}

// Both byte orders are the same here: zeros between bytes that are not zero.
void PatternSearch::search_wide(std::span<const std::byte> bytes, std::size_t begins,
                                const Found& found) const {
  struct Lane {
    RollingHash hash;
    std::size_t run = 0;
  };
  std::array<Lane, 2> lanes{Lane{RollingHash(window_)}, Lane{RollingHash(window_)}};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Lane& lane = lanes[i % 2];
    const bool continues = i > 0 && bytes[i - 1] == std::byte{0};
    if (bytes[i] == std::byte{0} || !continues) {
      lane.run = 0;
      lane.hash.clear();
    }
    if (bytes[i] == std::byte{0}) {
      // A string may begin only with a byte that is not zero.
      while (continues && i + 9 < bytes.size() && load<std::uint64_t>(bytes, i + 1) == 0) {
        i += 8;
        lanes[0].run = lanes[1].run = 0;
        lanes[0].hash.clear(), lanes[1].hash.clear();
      }
      continue;
    }
    lane.hash.add(number_of(bytes[i]));
    if (lane.run >= window_) lane.hash.remove(number_of(bytes[i - 2 * window_]));
    if (++lane.run < window_ || !may_contain(lane.hash.value())) continue;
    look_up(bytes, i - 2 * (window_ - 1), 2, lane.hash.value(), begins, found);
  }
}

}  // namespace e2qcow
