// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/verify.h"

#include <gtest/gtest.h>

#include <fstream>

#include "qcow2/format/record_extension.h"
#include "qcow2/read/chain.h"
#include "qcow2/write/writer.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"
#include "tests/support/temp_dir.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kVerifyCluster = 512;
constexpr std::uint64_t kDiskBytes = 96 << 10;

// Every byte, but for builds that take minutes for that.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kLongestStep = 40;
#elif defined(__has_feature)
constexpr std::uint64_t kLongestStep =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ? 40 : 1;
#else
constexpr std::uint64_t kLongestStep = 1;
#endif

bool is_whole(Verdict verdict) {
  return verdict == Verdict::whole || verdict == Verdict::opened_since;
}

// What the disk is, or that it cannot be read.
std::optional<Bytes> disk_in(const Bytes& image) {
  try {
    const MemoryFile file(image);
    qcow2::Reader reader(file);
    reader.check_tables();
    if (reader.backing_file_name()) return std::nullopt;
    Bytes disk(std::min<std::uint64_t>(reader.size(), 1 << 20));
    reader.read(0, disk);
    return disk;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

class VerifyFlips : public testing::TestWithParam<bool> {
 protected:
  VerifyFlips() : source_(disk()) {
    const qcow2::Geometry geometry{9};
    const auto layout =
        qcow2::plan_layout(geometry, kDiskBytes, qcow2::count_clusters(source_.extents(), geometry));
    qcow2::Writer::Options options{.digest = DigestKind::xxh3, .extensions = [] {
                                     return std::vector{qcow2::encode_record(DumpRecord())};
                                   }};
    if (GetParam()) options.compression = qcow2::Compression{};
    MemoryFile file;
    qcow2::Writer writer(file, layout, options);
    transfer(source_, writer, {});
    image_ = file.data();
    write_text(path(), std::string(reinterpret_cast<const char*>(image_.data()), image_.size()));
  }

  std::string path() const { return directory_.file("image"); }
  void put(std::uint64_t offset, std::byte value) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(value));
  }
  VerifyResult verify() const {
    try {
      return VerifyFiles({.path = path(), .verify = false}).verify({}).front();
    } catch (const std::system_error& error) {
      return {.image = path(), .verdict = Verdict::no_digests, .why = error.what()};
    }
  }
  void expect_seen(std::uint64_t offset, const Bytes& damaged) const;

  const MemorySource source_;
  TempDir directory_;
  Bytes image_;

 private:
  static MemorySource disk() {
    Random random;
    Bytes bytes(kDiskBytes);
    const std::vector<Extent> extents{{0, 2 * kVerifyCluster},
                                      {9 * kVerifyCluster, kVerifyCluster},
                                      {70 * kVerifyCluster, 2 * kVerifyCluster}};
    for (const Extent& extent : extents)
      for (std::uint64_t i = 0; i < extent.length; i += 4)  // compressible
        bytes[extent.offset + i] = random.bytes(1)[0];
    return {std::move(bytes), extents};
  }
};

INSTANTIATE_TEST_SUITE_P(, VerifyFlips, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Compressed" : "Plain"; });

// Where the disk is another, and nowhere else.
void VerifyFlips::expect_seen(std::uint64_t offset, const Bytes& damaged) const {
  const VerifyResult result = verify();
  const auto disk = disk_in(damaged);
  if (disk == source_.disk()) return;
  ASSERT_FALSE(is_whole(result.verdict)) << "byte " << offset << ": " << result.why;
  if (!disk || result.clusters == 0 || disk->size() != kDiskBytes) return;
  Bytes patched = *disk;
  for (const Extent& range : result.differences) {
    const auto begin = static_cast<std::ptrdiff_t>(range.offset);
    std::copy_n(source_.disk().begin() + begin, range.length, patched.begin() + begin);
    const auto is_other = [&](std::uint64_t at) { return (*disk)[at] != source_.disk()[at]; };
    for (std::uint64_t cluster = range.offset; cluster < range.end(); cluster += kVerifyCluster) {
      bool differs = false;
      for (std::uint64_t at = cluster; at < cluster + kVerifyCluster; ++at) differs = differs || is_other(at);
      ASSERT_TRUE(differs) << "byte " << offset << ": guest offset " << cluster;
    }
  }
  ASSERT_TRUE(patched == source_.disk()) << "byte " << offset << ": there are more differences";
}

TEST_P(VerifyFlips, OfAnyByteThatChangeTheDiskAreSeenWhereTheyAre) {
  ASSERT_EQ(verify().verdict, Verdict::whole);
  ASSERT_EQ(disk_in(image_), source_.disk());
  Random random;
  std::uint64_t changed = 0;
  std::uint64_t flips = 0;
  for (std::uint64_t offset = 0; offset < image_.size(); offset += 1 + random.below(kLongestStep)) {
    ++flips;
    const std::byte bit = std::byte{1} << random.below(8);
    Bytes damaged = image_;
    damaged[offset] ^= bit;
    put(offset, damaged[offset]);
    changed += disk_in(damaged) == source_.disk() ? 0 : 1;
    expect_seen(offset, damaged);
    if (HasFatalFailure()) return;
    put(offset, image_[offset]);
  }
  EXPECT_GT(changed, flips / 20);
  EXPECT_EQ(verify().verdict, Verdict::whole);
}

TEST_P(VerifyFlips, OfTheMarkAloneAreNoChange) {
  put(88, std::byte{0});  // the first of the autoclear features
  EXPECT_EQ(verify().verdict, Verdict::opened_since);
}

TEST_P(VerifyFlips, OfDigestsLeaveNothingToBelieve) {
  put(image_.size() - kVerifyCluster, image_[image_.size() - kVerifyCluster] ^ std::byte{1});
  const VerifyResult result = verify();
  EXPECT_EQ(result.verdict, Verdict::no_digests);
  EXPECT_EQ(result.clusters, 0);
}

}  // namespace
}  // namespace e2qcow::work
