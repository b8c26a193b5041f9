// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/base_disk.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bytes.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kBaseUnit = 512;

class MemoryBase : public BaseDisk {
 public:
  explicit MemoryBase(Bytes disk) : disk_(std::move(disk)) {}
  std::vector<bool> find_known(std::uint64_t guest_offset, std::span<const std::byte> contents,
                               std::uint64_t unit) const override {
    std::vector<bool> known;
    for (std::size_t at = 0; at < contents.size(); at += unit)
      known.push_back(
          std::ranges::equal(std::span(disk_).subspan(guest_offset + at, unit), contents.subspan(at, unit)));
    return known;
  }

 private:
  Bytes disk_;
};

// Units with these values, in one range from the third unit on.
Batch batch_of(const Bytes& units) {
  Batch batch;
  for (const std::byte unit : units) batch.data.insert(batch.data.end(), kBaseUnit, unit);
  batch.ranges = {{2 * kBaseUnit, batch.data.size()}};
  return batch;
}

struct Found {
  std::uint64_t unit;
  std::uint64_t stored;
  std::uint64_t zeros;
  friend bool operator==(const Found&, const Found&) = default;
};
std::vector<Found> differences(const Bytes& units, const Bytes& below) {
  Bytes disk(2 * kBaseUnit);
  for (const std::byte unit : below) disk.insert(disk.end(), kBaseUnit, unit);
  Batch batch = batch_of(units);
  keep_differences(batch, kBaseUnit, MemoryBase(std::move(disk)));
  std::vector<Found> found;
  for (const Batch::Piece& piece : batch.pieces)
    found.push_back(
        {piece.guest_offset / kBaseUnit, piece.stored.size() / kBaseUnit, piece.zeros / kBaseUnit});
  return found;
}

TEST(KeepDifferences, LeavesOutWhatTheBaseHas) {
  EXPECT_EQ(differences(bytes_of({1, 0, 2}), bytes_of({1, 0, 2})), std::vector<Found>{});
  EXPECT_EQ(differences(bytes_of({1, 7, 8, 2}), bytes_of({1, 0, 2, 2})), (std::vector<Found>{{3, 2, 0}}));
}

TEST(KeepDifferences, HidesWhatIsZeroNow) {
  EXPECT_EQ(differences(bytes_of({0, 0, 3, 0}), bytes_of({1, 1, 3, 0})), (std::vector<Found>{{2, 0, 2}}));
}

TEST(KeepDifferences, BeginsAPieceWhereDataFollowsZeros) {
  EXPECT_EQ(differences(bytes_of({0, 4, 4, 0}), bytes_of({1, 1, 1, 1})),
            (std::vector<Found>{{2, 0, 1}, {3, 2, 0}, {5, 0, 1}}));
  EXPECT_EQ(differences(bytes_of({4, 1, 4}), bytes_of({1, 1, 1})),
            (std::vector<Found>{{2, 1, 0}, {4, 1, 0}}));
}

}  // namespace
}  // namespace e2qcow
