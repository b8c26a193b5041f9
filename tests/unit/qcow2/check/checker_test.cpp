// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "qcow2/check/checker.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/random.h"
#include "tests/support/sparse_file.h"
#include "tests/unit/qcow2/test_image.h"

namespace e2qcow::qcow2 {
namespace {

TEST(Checker, FindsNothingInAnImageWeWrote) {
  const CheckResult result = check(TestImage().file);
  EXPECT_EQ(result.messages, Messages{});
  EXPECT_EQ(result.corruptions, 0);
  EXPECT_EQ(result.leaks, 0);
}

TEST(Checker, FindsNothingInAVersion2ImageWeWrote) {
  EXPECT_EQ(found_in(TestImage(2)), Messages{});
}

TEST(Checker, CountsWhatIsInTheImage) {
  const CheckResult result = check(TestImage().file);
  EXPECT_EQ(result.total_clusters, 256);
  EXPECT_EQ(result.allocated_clusters, 3);
  EXPECT_EQ(result.compressed_clusters, 0);
  EXPECT_EQ(result.fragmented_clusters, 0);
  EXPECT_EQ(result.image_end_offset, TestImage::kSize);
}

TEST(Checker, CountsClustersThatDoNotFollowTheirPredecessor) {
  TestImage image;
  image.put64(TestImage::kL2, TestImage::kCopied | (TestImage::kData + TestImage::kCluster));
  image.put64(TestImage::kL2 + 8, TestImage::kCopied | TestImage::kData);
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.messages, Messages{});
  EXPECT_EQ(result.fragmented_clusters, 1);
}

TEST(Checker, FindsNothingInAnImageOfNothing) {
  MemoryFile file;
  Writer writer(file, plan_layout(Geometry{16}, 1 << 30, {}), {});
  writer.finish();
  EXPECT_EQ(check(file).messages, Messages{});
}

TEST(Checker, FailsOnAFileThatIsNoImage) {
  const MemoryFile file(std::vector<std::byte>(4096));
  EXPECT_THROW(check(file), std::system_error);
}

TEST(Checker, ReportsAnImageThatIsMarkedAsDirty) {
  TestImage image;
  image.put64(TestImage::kIncompatibleField, kDirty);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: header: the image is marked as dirty: its refcounts may be out of date"});
}

TEST(Checker, ReportsAnImageThatIsMarkedAsCorrupt) {
  TestImage image;
  image.put64(TestImage::kIncompatibleField, kCorrupt);
  EXPECT_EQ(found_in(image), Messages{"corruption: header: the image is marked as corrupt"});
}

// What else is wrong because of them is not reported.
TEST(Checker, ReportsTablesThatAreImpossible) {
  TestImage image;
  image.put64(TestImage::kSnapshotCountField - 4, std::uint64_t{0xffffffff});
  EXPECT_EQ(found_in(image),
            (Messages{"corruption: header: there is no refcount table",
                      "corruption: header: a snapshot table of 4294967295 entries is too large"}));
}

TEST(Checker, FailsIfAFileCannotBeRead) {
  SparseFile file(TestImage::kSize);
  file.put(0, TestImage().file.data());
  file.make_unreadable({TestImage::kSecondL2, 1});
  EXPECT_EQ(code_of([&] { check(file); }), std::error_code(EIO, std::generic_category()));
}

TEST(Checker, WritesAHundredMessagesAndCountsTheRest) {
  TestImage image;
  for (std::uint64_t i = 0; i < 60; ++i) {
    image.put64(TestImage::kL2 + i * 8, TestImage::kCopied);
    image.put64(TestImage::kSecondL2 + i * 8, TestImage::kCopied);
  }
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.corruptions, 120);
  EXPECT_EQ(result.leaks, 3);
  EXPECT_EQ(result.messages.size(), 100);
  EXPECT_EQ(result.suppressed_messages, 23);
}

TEST(Checker, ReadsNoTableAsOftenAsItIsReferenced) {
  const std::uint64_t entries = 1 << 17;
  MemoryFile small;
  Writer(small, plan_layout(Geometry{9}, entries * Geometry{9}.l2_reach(), {}), {}).finish();
  const std::uint64_t l2_offset = small.data().size();
  small.data().resize(l2_offset + 512, std::byte{0x02});
  for (std::uint64_t i = 0; i < entries; ++i) store_be(std::span(small.data()), 512 + i * 8, l2_offset);
  SparseFile file(small.size());
  file.put(0, small.data());
  EXPECT_GT(check(file).corruptions, entries - 1);
  std::uint64_t bytes_read = 0;
  for (const Extent& read : file.reads()) bytes_read += read.length;
  EXPECT_LT(bytes_read, 2 * file.size());
}

TEST(Checker, TakesNoMemoryForHolesInTheFile) {
  TestImage image;
  image.put64(TestImage::kL2 + 16, 1ULL << 55);
  SparseFile file(1ULL << 62);
  file.put(0, image.file.data());
  const CheckResult result = check(file);
  EXPECT_EQ(result.messages,
            Messages{"corruption: cluster at 36028797018963968: its refcount is 0, its references are 1"});
  EXPECT_EQ(result.image_end_offset, (1ULL << 55) + 512);
}

TEST(Checker, FindsEveryTruncationOfAnImage) {
  const TestImage whole;
  for (std::size_t size = 0; size < whole.file.data().size(); ++size) {
    SCOPED_TRACE(size);
    const MemoryFile file(
        {whole.file.data().begin(), whole.file.data().begin() + static_cast<std::ptrdiff_t>(size)});
    const std::error_code code = code_of([&] { EXPECT_GT(check(file).corruptions, 0); });
    EXPECT_TRUE(!code || code.category() == e2qcow_category()) << code;
  }
}

TEST(Checker, SurvivesAnyDamage) {
  Random random;
  for (int round = 0; round < 20000; ++round) {
    TestImage image;
    for (std::uint64_t changes = random.between(1, 8); changes > 0; --changes) {
      const std::uint64_t field = random.below(TestImage::kData / 8) * 8;
      image.put64(field, random.below(2) == 0 ? random.between(0, ~0ULL >> 1) << 1 : random.below(20) * 512);
    }
    const std::error_code code = code_of([&] { check(image.file); });
    EXPECT_TRUE(!code || code.category() == e2qcow_category()) << code;
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
