// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <mutex>
#include <vector>

#include "tests/support/bytes.h"

namespace e2qcow {

// A damaged disk of any size to read from: zeros and holes save for what is put into it; some of its bytes
// cannot be read. Remembers what was read, and what was hinted at.
class SparseFile : public ReadableFile {
 public:
  explicit SparseFile(std::uint64_t size) : size_(size) {}

  // Parts must not overlap each other or be empty.
  void put(std::uint64_t offset, Bytes bytes) { parts_[offset] = std::move(bytes); }
  void make_unreadable(Extent range) { unreadable_.push_back(range); }
  const std::vector<Extent>& reads() const { return reads_; }
  const std::vector<Extent>& hints() const { return hints_; }

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::scoped_lock lock(mutex_);
    reads_.push_back({offset, out.size()});
    if (offset > size_ || out.size() > size_ - offset) fail(Errc::truncated, name_ + ": past the end");
    for (const Extent& range : unreadable_)
      if (range.offset < offset + out.size() && offset < range.end()) fail_errno(EIO, name_ + ": read");
    std::ranges::fill(out, std::byte{0});
    for (auto part = part_at(offset); part != parts_.end() && part->first < offset + out.size(); ++part)
      copy_part(*part, offset, out);
  }
  std::optional<Extent> next_data(std::uint64_t offset) const override {
    const auto part = part_at(offset);
    if (part == parts_.end()) return std::nullopt;
    const std::uint64_t begin = std::max(part->first, offset);
    return Extent{begin, part->first + part->second.size() - begin};
  }
  void prefetch(Extent range) const override {
    const std::scoped_lock lock(mutex_);
    hints_.push_back(range);
  }

 private:
  using Parts = std::map<std::uint64_t, Bytes>;  // by offset

  // The first part that ends after `offset`.
  Parts::const_iterator part_at(std::uint64_t offset) const {
    const auto next = parts_.upper_bound(offset);
    if (next == parts_.begin()) return next;
    const auto before = std::prev(next);
    return before->first + before->second.size() > offset ? before : next;
  }
  static void copy_part(const Parts::value_type& part, std::uint64_t offset, std::span<std::byte> out) {
    const auto& [start, bytes] = part;
    const std::uint64_t begin = std::max(start, offset);
    const std::uint64_t end = std::min(start + bytes.size(), offset + out.size());
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin - start), end - begin,
                out.begin() + static_cast<std::ptrdiff_t>(begin - offset));
  }

  std::string name_ = "sparse.img";
  std::uint64_t size_;
  Parts parts_;
  std::vector<Extent> unreadable_;
  mutable std::mutex mutex_;  // guards the members below
  mutable std::vector<Extent> reads_;
  mutable std::vector<Extent> hints_;
};

}  // namespace e2qcow
