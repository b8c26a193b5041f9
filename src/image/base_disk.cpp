// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/base_disk.h"

#include "base/bytes.h"

namespace e2qcow {
namespace {

// Appends a unit to the last piece, if it continues that.
void add_unit(std::vector<Batch::Piece>& pieces, std::uint64_t guest_offset,
              std::span<const std::byte> contents) {
  const bool zeros = is_zero(contents);
  const bool continues = !pieces.empty() && pieces.back().end() == guest_offset &&
                         (pieces.back().zeros != 0) == zeros &&
                         (zeros || std::to_address(pieces.back().stored.end()) == contents.data());
  if (!continues) pieces.push_back({guest_offset, contents.first(0)});
  Batch::Piece& piece = pieces.back();
  if (zeros)
    piece.zeros += contents.size();
  else
    piece.stored = {piece.stored.data(), piece.stored.size() + contents.size()};
}

}  // namespace

void keep_differences(Batch& batch, std::uint64_t unit, const BaseDisk& base) {
  batch.pieces.clear();
  std::span<const std::byte> data = batch.data;
  for (const Extent& range : batch.ranges) {
    const std::vector<bool> known = base.find_known(range.offset, data.first(range.length), unit);
    for (std::uint64_t i = 0; i < known.size(); ++i)
      if (!known[i]) add_unit(batch.pieces, range.offset + i * unit, data.subspan(i * unit, unit));
    data = data.subspan(range.length);
  }
}

}  // namespace e2qcow
