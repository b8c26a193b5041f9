// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/known_disk.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "tests/support/bytes.h"
#include "tests/unit/qcow2/read/digested_image.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kKnownUnit = 4096;
constexpr std::uint64_t kKnownUnits = kDiskBytes / kKnownUnit + 1;
constexpr std::uint64_t kChanged = 110 << 10;  // an offset in data

// A file that counts the bytes that are read of it.
class CountedFile : public MemoryFile {
 public:
  using MemoryFile::MemoryFile;
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    MemoryFile::read(offset, out);
    bytes_ += out.size();
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  mutable std::uint64_t bytes_ = 0;
};

struct Base {
  explicit Base(const Bytes& image, bool believed = true) : file(image) {
    readers.push_back(std::make_unique<Reader>(file));
    known.emplace(chain.emplace(std::vector<const Reader*>{readers.front().get()}, nullptr), readers,
                  believed);
  }
  // UnknownUnits, of a disk with these contents, that are not known to be there.
  std::vector<std::uint64_t> unknown(Bytes disk) const {
    disk.resize(std::max<std::uint64_t>(disk.size(), kKnownUnits * kKnownUnit));
    const std::vector<bool> found = known->find_known(0, disk, kKnownUnit);
    EXPECT_EQ(found.size(), disk.size() / kKnownUnit);
    std::vector<std::uint64_t> units;
    for (std::size_t i = 0; i < found.size(); ++i)
      if (!found[i]) units.push_back(i);
    return units;
  }

  CountedFile file;
  std::vector<std::unique_ptr<Reader>> readers;
  std::optional<Chain> chain;
  std::optional<KnownDisk> known;
};
using UnknownUnits = std::vector<std::uint64_t>;

TEST(KnownDisk, HasItsOwnContents) {
  for (const auto& compression : {std::optional<Compression>(), std::optional(kZstd)})
    for (const bool believed : {false, true}) {
      const DigestedImage image(compression);
      Bytes disk = image.source().disk();
      const Base base(image.file.data(), believed);
      EXPECT_EQ(base.unknown(disk), UnknownUnits{});
      disk[kChanged] ^= std::byte{1};
      disk[5] = std::byte{1};  // was zeros
      EXPECT_EQ(base.unknown(disk), (UnknownUnits{0, kChanged / kKnownUnit}));
    }
}

TEST(KnownDisk, IsZerosPastItsEnd) {
  const DigestedImage image;
  Bytes disk = image.source().disk();
  disk.resize(400 << 10);
  const Base base(image.file.data());
  EXPECT_EQ(base.unknown(disk), UnknownUnits{});
  disk[kDiskBytes + 10] = std::byte{1};  // in its last cluster
  disk[300 << 10] = std::byte{1};
  EXPECT_EQ(base.unknown(disk), (UnknownUnits{kDiskBytes / kKnownUnit, (300 << 10) / kKnownUnit}));
}

TEST(KnownDisk, IsReadUnlessDigestsOfCompressedClustersAreBelieved) {
  const DigestedImage image(kZstd);
  const Base believed(image.file.data());
  const std::uint64_t tables = believed.file.bytes();
  believed.unknown(image.source().disk());
  const std::uint64_t read_if_believed = believed.file.bytes() - tables;
  const Base compared(image.file.data(), false);
  compared.unknown(image.source().disk());
  EXPECT_GT(compared.file.bytes() - tables, read_if_believed + 10'000);
}

// What is there counts, and not the digest of what was there; and nothing new is to lie on it.
TEST(KnownDisk, IsUnknownWhereAPlainClusterWasOverwritten) {
  DigestedImage image;
  Bytes disk = image.source().disk();
  image.flip(image.host_offset(kChanged));
  const Base base(image.file.data());
  EXPECT_EQ(base.unknown(disk), UnknownUnits{kChanged / kKnownUnit});
  disk[kChanged] ^= std::byte{0x10};  // as it is now
  EXPECT_EQ(base.unknown(disk), UnknownUnits{kChanged / kKnownUnit});
}

TEST(KnownDisk, IsReadIfAnotherProgramHasOpenedTheImage) {
  DigestedImage image;
  Bytes disk = image.source().disk();
  set_be(image.file.data(), 88, 0, 8);  // the autoclear features
  image.flip(image.host_offset(kChanged));
  const Base base(image.file.data());
  EXPECT_EQ(base.unknown(disk), UnknownUnits{kChanged / kKnownUnit});
  disk[kChanged] ^= std::byte{0x10};
  EXPECT_EQ(base.unknown(disk), UnknownUnits{});
}

}  // namespace
}  // namespace e2qcow::qcow2
