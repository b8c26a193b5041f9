// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/ordered_file.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace e2qcow {

OrderedFile::OrderedFile(File& front, std::uint64_t begin, std::uint64_t reach, Consume consume)
    : front_(front), begin_(begin), reach_(reach), consume_(std::move(consume)), passed_(begin) {}

void OrderedFile::read(std::uint64_t, std::span<std::byte>) const {
  fail(Errc::refused, name_ + ": write-only");
}

void OrderedFile::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (data.empty()) return;
  size_ = std::max(size_, offset + data.size());
  if (offset < begin_) return front_.write(offset, data);
  if (offset < passed_)
    fail(Errc::refused, fmt::format("{}: the bytes at {} were passed on already", name_, offset));
  const std::uint64_t begin = offset - passed_;
  if (window_.size() < begin + data.size()) window_.resize(begin + data.size());
  std::ranges::copy(data, window_.begin() + static_cast<std::ptrdiff_t>(begin));
  if (window_.size() <= 2 * reach_) return;  // seldom, because the rest moves
  const std::uint64_t length = window_.size() - reach_;
  consume_(std::span(window_).first(length));
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(length));
  passed_ += length;
}

std::span<const std::byte> OrderedFile::rest() {
  window_.resize(size_ > passed_ ? size_ - passed_ : 0);
  return window_;
}

}  // namespace e2qcow
