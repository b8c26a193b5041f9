// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace e2qcow {

// Many byte strings that are searched for at once: in any case of ASCII letters, and also with a zero between
// their bytes, as UTF-16 stores them. Each string is found by a window, a few of its bytes that few other
// strings have; a hash of the window rolls over the bytes that are searched.
class PatternSearch {
 public:
  static constexpr std::size_t kMaxLength = 255;
  // What a buffer needs after the part in which strings begin, so that none is cut off.
  static constexpr std::size_t kOverlap = 2 * kMaxLength;

  // `window`: the number of bytes, 1 to 63.
  explicit PatternSearch(std::size_t window);

  // Returns false, and adds nothing, if the string has no window without zeros in it, or is too long. `id`
  // comes back with its hits; of equal strings, only the first is found.
  bool add(std::string_view pattern, std::uint64_t id);
  // Call it after the last string, and before the search.
  void prepare();

  struct Hit {
    std::size_t offset;  // of its first byte
    std::uint64_t id;
    bool is_wide;  // with zeros between its bytes
  };
  using Found = std::function<void(const Hit&)>;
  // Calls `found` for all strings that begin in the first `begins` bytes. Safe from several threads at once.
  void search(std::span<const std::byte> bytes, std::size_t begins, const Found& found) const;

  std::size_t count() const { return entries_.size(); }
  // That adding so many strings with so many bytes takes, roughly.
  static std::uint64_t memory(std::uint64_t strings, std::uint64_t bytes) { return strings * 56 + bytes; }

 private:
  struct Entry {
    std::uint64_t hash;  // of its window
    std::uint64_t id;
    std::uint32_t begin;  // in texts_
    std::uint16_t length;
    std::uint16_t window_offset;
  };

  template <typename Visit>
  void for_each_window(std::string_view text, Visit visit) const;
  void choose_windows();
  void drop_equal_ones();
  void fill_filter();
  std::string_view text_of(const Entry& entry) const {
    return std::string_view(texts_).substr(entry.begin, entry.length);
  }
  bool may_contain(std::uint64_t hash) const {
    const std::uint64_t bit = hash & filter_mask_;
    return (filter_[bit / 64] >> (bit % 64) & 1) != 0;
  }
  void look_up(std::span<const std::byte> bytes, std::size_t window_begin, std::size_t step,
               std::uint64_t hash, std::size_t begins, const Found& found) const;
  void search_narrow(std::span<const std::byte> bytes, std::size_t begins, const Found& found) const;
  void search_wide(std::span<const std::byte> bytes, std::size_t begins, const Found& found) const;

  std::size_t window_;
  std::string texts_;  // folded
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> filter_;  // bits of hashes
  std::uint64_t filter_mask_ = 0;
};

}  // namespace e2qcow
