// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/digest_table.h"

#include <gtest/gtest.h>

#include <map>

#include "base/bytes.h"
#include "qcow2/write/digest_writer.h"
#include "tests/support/memory_file.h"
#include "tests/support/random.h"

namespace e2qcow::qcow2 {
namespace {

constexpr Geometry kGeometry{9};
constexpr std::uint64_t kSealPlace = 1024;  // of the seal

// Clusters with their digests, in an area as in an image.
class Area {
 public:
  explicit Area(DigestKind kind) : kind_(kind), writer_(kind, kGeometry) {}

  void add(std::uint64_t first_cluster, const Bytes& contents) {
    std::vector<std::byte> digests;
    writer_.digest(contents, digests);
    writer_.append(first_cluster, digests);
    for (std::uint64_t at = 0; at < contents.size(); at += kGeometry.cluster_size())
      clusters_[first_cluster + at / kGeometry.cluster_size()] =
          digest_of(kind_, std::span(contents).subspan(at, kGeometry.cluster_size()));
  }
  void write() {
    std::uint64_t position = kSealPlace;
    writer_.write({}, [&](std::span<const std::byte> bytes) {
      file.write(position, bytes);
      position += bytes.size();
    });
    EXPECT_EQ(position, kSealPlace + writer_.area_bytes());
  }
  std::optional<DigestSeal> seal() const { return read_seal(file, place(), {.cluster_bits = 9}); }
  std::unique_ptr<DigestTable> open() const { return DigestTable::open(file, place(), *seal()); }
  // The seal of what is in the file now, as somebody makes it who wants to be believed.
  void seal_again(DigestSeal seal) {
    seal.table = digest_of(kind_, std::span(file.data()).subspan(kTable, seal.table_bytes()));
    file.write(kSealPlace, encode_seal(seal));
  }
  const std::map<std::uint64_t, Digest>& clusters() const { return clusters_; }

  static constexpr std::uint64_t kTable = kSealPlace + DigestSeal::kBytes;
  MemoryFile file;

 private:
  DigestPlace place() const { return {kind_, kSealPlace}; }

  DigestKind kind_;
  DigestWriter writer_;
  std::map<std::uint64_t, Digest> clusters_;
};

TEST(DigestTable, FindsEachDigestAndNoOther) {
  Random random;
  for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256}) {
    Area area(kind);
    std::uint64_t cluster = 0;
    for (int run = 0; run < 100; ++run) {
      cluster += random.below(3);  // zero: continues the run before
      const std::uint64_t count = random.between(1, 40);
      area.add(cluster, random.bytes(count * kGeometry.cluster_size()));
      cluster += count;
    }
    area.write();
    const auto table = area.open();
    ASSERT_TRUE(table);
    EXPECT_EQ(table->clusters(), area.clusters().size());
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < cluster + 5; ++i) {
      const auto known = area.clusters().find(i);
      const auto expected = known == area.clusters().end() ? std::nullopt : std::optional(known->second);
      ASSERT_EQ(table->find(i), expected) << i;
      const auto run = table->next_run(i);
      const auto following = area.clusters().lower_bound(i);
      ASSERT_EQ(run.has_value(), following != area.clusters().end());
      if (run) next = std::max(run->first, i);
      if (run) {
        ASSERT_EQ(next, following->first);
      }
    }
  }
}

TEST(DigestTable, OfNoClustersHasNone) {
  Area area(DigestKind::xxh3);
  area.write();
  const auto table = area.open();
  ASSERT_TRUE(table);
  EXPECT_EQ(table->find(0), std::nullopt);
  EXPECT_FALSE(table->next_run(0));
}

TEST(DigestTable, IsNotBelievedIfAnyBitOfItIsWrong) {
  Random random;
  Area area(DigestKind::xxh3);
  area.add(3, random.bytes(4 * kGeometry.cluster_size()));
  area.add(9, random.bytes(1 * kGeometry.cluster_size()));
  area.write();
  const std::uint64_t bytes = area.seal()->table_bytes();
  for (std::uint64_t bit = 0; bit < bytes * 8; ++bit) {
    std::byte& byte = area.file.data()[Area::kTable + bit / 8];
    byte ^= std::byte{1} << (bit % 8);
    ASSERT_FALSE(area.open()) << bit;
    byte ^= std::byte{1} << (bit % 8);
  }
  EXPECT_TRUE(area.open());
}

TEST(DigestTable, IsCutOffIfTheFileEndsBeforeIt) {
  Random random;
  Area area(DigestKind::xxh3);
  area.add(3, random.bytes(40 * kGeometry.cluster_size()));
  area.write();
  const Bytes whole = area.file.data();
  for (std::size_t size = 0; size < whole.size(); size += 100) {
    area.file.data().assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(area.seal()) << size;
  }
}

TEST(DigestTable, ThatClaimsMoreThanTheFileHasIsNotRead) {
  Area area(DigestKind::xxh3);
  area.add(3, Bytes(kGeometry.cluster_size(), std::byte{1}));
  area.write();
  const DigestSeal honest = *area.seal();
  for (const std::uint64_t many : {2ULL, 1000ULL, 1ULL << 60, ~0ULL, ~0ULL / 16, ~0ULL / 16 + 2}) {
    DigestSeal seal = honest;
    seal.runs = many;
    area.file.write(kSealPlace, encode_seal(seal));
    if (many > 29) {
      EXPECT_FALSE(area.seal()) << many;
    }
    seal = honest;
    seal.clusters = many;
    area.file.write(kSealPlace, encode_seal(seal));
    if (many > 30) {
      EXPECT_FALSE(area.seal()) << many;
    }
  }
}

// Each with the right digests.
TEST(DigestTable, ThatContradictsItselfIsNotBelieved) {
  Random random;
  Area area(DigestKind::xxh3);
  area.add(3, random.bytes(4 * kGeometry.cluster_size()));
  area.add(9, random.bytes(2 * kGeometry.cluster_size()));
  area.write();
  const DigestSeal seal = *area.seal();
  const Bytes honest = area.file.data();
  const std::uint64_t second = Area::kTable + DigestSeal::kRunBytes;
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> lies{
      {second, 6},                // overlaps the first run
      {second, 7},                // touches it
      {second, 0},                // before it
      {second, ~0ULL},            // ends past all numbers
      {second + 8, 0},            // has the digests of the first
      {second + 8, 6},            // has none
      {second + 8, ~0ULL},        // the same
      {Area::kTable, ~0ULL - 1},  // after the second
      {Area::kTable + 8, 1},      // leaves a digest out
  };
  for (const auto& [offset, value] : lies) {
    area.file.data() = honest;
    store_be(std::span(area.file.data()), offset, value);
    area.seal_again(seal);
    ASSERT_TRUE(area.seal());
    EXPECT_FALSE(area.open()) << offset << ": " << value;
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
