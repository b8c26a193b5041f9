// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/compare.h"

#include <algorithm>

namespace e2qcow {
namespace {

constexpr std::uint64_t kUnit = 64 * 1024;

void read_padded(ImageSource& source, std::uint64_t guest_offset, std::span<std::byte> out) {
  const std::uint64_t there = source.size() - std::min(source.size(), guest_offset);
  const auto inside = out.first(std::min<std::uint64_t>(out.size(), there));
  if (!inside.empty()) source.read(guest_offset, inside);
  std::ranges::fill(out.subspan(inside.size()), std::byte{0});
}

// The first disk, with extents where either has data.
class Both : public ImageSource {
 public:
  Both(ImageSource& a, ImageSource& b) : a_(a), b_(b) {}
  std::uint64_t size() const override { return std::max(a_.size(), b_.size()); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) override {
    const auto a = a_.next_extent(guest_offset);
    const auto b = b_.next_extent(guest_offset);
    if (!a || !b) return a ? a : b;
    return a->offset <= b->offset ? a : b;
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) override {
    read_padded(a_, guest_offset, out);
  }
  std::uint64_t read_unit() const override { return std::max(a_.read_unit(), b_.read_unit()); }

 private:
  ImageSource& a_;
  ImageSource& b_;
};

struct Found {
  std::uint64_t guest_offset;
};

// Throws Found at the first difference. What pack() hands to append() is where the batch differs.
class Comparison : public ImageSink {
 public:
  explicit Comparison(ImageSource& other) : other_(other) {}
  std::uint64_t granularity() const override { return kUnit; }
  void pack(Batch& batch) const override {
    batch.pieces.clear();
    batch.packed.resize(batch.data.size());
    std::size_t position = 0;
    for (const Extent& range : batch.ranges) {
      const auto ours = std::span(batch.data).subspan(position, range.length);
      const auto theirs = std::span(batch.packed).subspan(position, range.length);
      position += range.length;
      read_padded(other_, range.offset, theirs);
      const auto [differs, unused] = std::ranges::mismatch(ours, theirs);
      if (differs == ours.end()) continue;
      batch.pieces.push_back({range.offset + static_cast<std::uint64_t>(differs - ours.begin()), {}});
      return;
    }
  }
  void append(const Batch& batch) override {
    if (!batch.pieces.empty()) throw Found{batch.pieces.front().guest_offset};
  }
  void finish() override {}

 private:
  ImageSource& other_;
};

}  // namespace

std::optional<std::uint64_t> first_difference(ImageSource& a, ImageSource& b,
                                              const TransferOptions& options) {
  Both both(a, b);
  Comparison comparison(b);
  try {
    transfer(both, comparison, options);
  } catch (const Found& found) {
    return found.guest_offset;
  }
  return std::nullopt;
}

}  // namespace e2qcow
