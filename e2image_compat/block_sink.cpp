// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/block_sink.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "image/drop_zeros.h"

namespace e2qcow::compat {
namespace {

void take_whole_ranges(Batch& batch) {
  batch.pieces.clear();
  std::span<const std::byte> data = batch.data;
  for (const Extent& range : batch.ranges) {
    batch.pieces.push_back({range.offset, data.first(range.length)});
    data = data.subspan(range.length);
  }
}

void list_write(std::uint64_t block) {
  std::printf("Writing block %llu\n", static_cast<unsigned long long>(block));
}

}  // namespace

void BlockSink::pack(Batch& batch) const {
  if (options_.drops_zeros)
    drop_zeros(batch, options_.block_size);
  else
    take_whole_ranges(batch);
}

void BlockSink::append(const Batch& batch) {
  for (const Batch::Piece& piece : batch.pieces) {
    if (options_.skips_same)
      write_different(piece);
    else
      file_.write(options_.offset + piece.guest_offset, piece.stored);
  }
}

void BlockSink::write_different(const Batch::Piece& piece) {
  const std::uint64_t offset = options_.offset + piece.guest_offset;
  present_.assign(piece.stored.size(), std::byte{0});
  const std::size_t there = file_.read_up_to(offset, present_);
  const auto is_same = [&](std::size_t position) {
    const auto ours = piece.stored.subspan(position, options_.block_size);
    return position + ours.size() <= there &&
           std::equal(ours.begin(), ours.end(), present_.begin() + static_cast<std::ptrdiff_t>(position));
  };
  std::size_t begin = 0;  // of the run of different blocks
  for (std::size_t position = 0; position < piece.stored.size(); position += options_.block_size) {
    if (!is_same(position)) continue;
    ++skipped_blocks_;
    if (begin < position) file_.write(offset + begin, piece.stored.subspan(begin, position - begin));
    begin = position + options_.block_size;
  }
  if (begin < piece.stored.size()) file_.write(offset + begin, piece.stored.subspan(begin));
}

void DiskStreamSink::pack(Batch& batch) const {
  take_whole_ranges(batch);
}

void DiskStreamSink::append(const Batch& batch) {
  for (const Batch::Piece& piece : batch.pieces) {
    fill_until(piece.guest_offset);
    out_.write(
        piece.stored.first(std::min<std::uint64_t>(piece.stored.size(), disk_size_ - piece.guest_offset)));
    position_ += piece.stored.size();
  }
}

void DiskStreamSink::fill_until(std::uint64_t guest_offset) {
  static constexpr std::array<std::byte, 64 * 1024> kZeros{};
  while (position_ < guest_offset) {
    const std::uint64_t length = std::min<std::uint64_t>(guest_offset - position_, kZeros.size());
    out_.write(std::span(kZeros).first(length));
    position_ += length;
  }
}

void ListSink::pack(Batch& batch) const {
  if (drops_zeros_)
    drop_zeros(batch, block_size_);
  else
    take_whole_ranges(batch);
}

void ListSink::append(const Batch& batch) {
  for (const Batch::Piece& piece : batch.pieces)
    for (std::uint64_t position = 0; position < piece.stored.size(); position += block_size_)
      list((piece.guest_offset + position) / block_size_);
}

void ListSink::list(std::uint64_t block) {
  list_write(block);
}

void list_other_writes(std::uint64_t count) {
  for (; count > 0; --count) list_write(~0ULL);
}

}  // namespace e2qcow::compat
