// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/drop_zeros.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow {
namespace {

struct Piece {
  std::uint64_t guest_offset;
  Bytes bytes;
  friend bool operator==(const Piece&, const Piece&) = default;
};

std::vector<Piece> pieces_of(std::vector<Extent> ranges, Bytes data, std::uint64_t unit) {
  Batch batch;
  batch.ranges = std::move(ranges);
  batch.data.assign(data.begin(), data.end());
  batch.pieces = {{12345, batch.data}};
  drop_zeros(batch, unit);
  std::vector<Piece> pieces;
  for (const Batch::Piece& piece : batch.pieces) {
    EXPECT_FALSE(piece.compressed);
    pieces.push_back({piece.guest_offset, {piece.stored.begin(), piece.stored.end()}});
  }
  return pieces;
}

TEST(DropZeros, LeavesNothingOfZeros) {
  EXPECT_EQ(pieces_of({{100, 8}, {200, 4}}, Bytes(12), 4), std::vector<Piece>{});
}

TEST(DropZeros, LeavesDataInOnePiece) {
  EXPECT_EQ(pieces_of({{100, 8}}, bytes_of({1, 2, 3, 4, 5, 6, 7, 8}), 4),
            (std::vector<Piece>{{100, bytes_of({1, 2, 3, 4, 5, 6, 7, 8})}}));
}

TEST(DropZeros, DropsWholeUnitsOnly) {
  EXPECT_EQ(pieces_of({{100, 12}}, bytes_of({0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0}), 4),
            (std::vector<Piece>{{100, bytes_of({0, 0, 0, 1})}, {108, bytes_of({1, 0, 0, 0})}}));
}

TEST(DropZeros, DropsZerosAtBothEnds) {
  EXPECT_EQ(pieces_of({{100, 8}}, bytes_of({0, 0, 1, 2, 3, 4, 0, 0}), 2),
            (std::vector<Piece>{{102, bytes_of({1, 2, 3, 4})}}));
}

TEST(DropZeros, KeepsRangesApart) {
  EXPECT_EQ(pieces_of({{100, 4}, {200, 4}}, bytes_of({1, 2, 3, 4, 5, 6, 7, 8}), 4),
            (std::vector<Piece>{{100, bytes_of({1, 2, 3, 4})}, {200, bytes_of({5, 6, 7, 8})}}));
}

}  // namespace
}  // namespace e2qcow
