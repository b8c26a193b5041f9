// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/differing_writes.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/bytes.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kComparedPiece = 128 << 10;  // fits into the cache of a processor

// Calls visit(begin, end) for the longest runs of units, counted from `offset` in the file, that differ.
template <typename Differs, typename Visit>
void for_each_run(std::uint64_t offset, std::uint64_t length, Differs differs, Visit visit) {
  std::uint64_t begin = 0;  // of the run
  for (std::uint64_t position = 0; position < length;) {
    const std::uint64_t unit_end = std::min(
        length, round_down(offset + position, DifferingWrites::kUnit) + DifferingWrites::kUnit - offset);
    if (!differs(position, unit_end)) {
      if (begin < position) visit(begin, position);
      begin = unit_end;
    }
    position = unit_end;
  }
  if (begin < length) visit(begin, length);
}

}  // namespace

void DifferingWrites::begin() {
  if (has_begun_) return;
  has_begun_ = true;
  before_first_();
}

void DifferingWrites::resize(std::uint64_t new_size) {
  if (new_size == file_.size()) return;
  begin();
  file_.resize(new_size);
}

void DifferingWrites::write(std::uint64_t offset, std::span<const std::byte> data) {
  std::vector<std::byte> old;
  for (; !data.empty(); data = data.subspan(old.size()), offset += old.size()) {
    old.resize(std::min<std::uint64_t>(data.size(), kComparedPiece - offset % kComparedPiece));
    std::size_t there = file_.read_up_to(offset, old);
    if (!has_begun_ && (there < old.size() || std::memcmp(old.data(), data.data(), old.size()) != 0)) {
      begin();
      there = file_.read_up_to(offset, old);  // it may be what was changed now
    }
    for_each_run(
        offset, old.size(),
        [&](std::uint64_t begin, std::uint64_t end) {
          return end > there || std::memcmp(&old[begin], &data[begin], end - begin) != 0;
        },
        [&](std::uint64_t begin, std::uint64_t end) {
          file_.write(offset + begin, data.subspan(begin, end - begin));
          written_ += end - begin;
        });
  }
}

// Holes are zeros already.
void DifferingWrites::zero(Extent range, Zeroing how) {
  std::vector<std::byte> old;
  std::uint64_t position = range.offset;
  while (position < range.end()) {
    const auto data = file_.next_data(position);
    if (!data || data->offset >= range.end()) return;
    position = std::max(position, data->offset);
    old.resize(std::min({range.end() - position, data->end() - position, kComparedPiece}));
    file_.read(position, old);
    for_each_run(
        position, old.size(),
        [&](std::uint64_t begin, std::uint64_t end) {
          return !is_zero(std::span(old).subspan(begin, end - begin));
        },
        [&](std::uint64_t first, std::uint64_t end) {
          begin();
          file_.zero({position + first, end - first}, how);
          written_ += end - first;
        });
    position += old.size();
  }
}

}  // namespace e2qcow
