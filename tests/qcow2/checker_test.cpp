#include "qcow2/checker.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/qcow2/test_image.h"

namespace e2qcow::qcow2 {
namespace {

using Messages = std::vector<std::string>;

Messages found_in(const TestImage& image) {
  return check(image.file).messages;
}

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

TEST(Checker, CountsClustersThatAreNotBehindTheirPredecessor) {
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

// Reads past the first bytes fail.
class UnreadableFile : public MemoryFile {
 public:
  using MemoryFile::MemoryFile;
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > 0) fail_errno(EIO, "disk.img: read");
    MemoryFile::read(offset, out);
  }
};

TEST(Checker, FailsWhereAFileCannotBeRead) {
  const UnreadableFile file(TestImage().file.data());
  EXPECT_THROW(check(file), std::system_error);
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

// A file that counts what is read of it.
class CountingFile : public MemoryFile {
 public:
  using MemoryFile::MemoryFile;
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    bytes_read += out.size();
    MemoryFile::read(offset, out);
  }
  mutable std::uint64_t bytes_read = 0;
};

TEST(Checker, ReadsNoTableAsOftenAsItIsReferenced) {
  const std::uint64_t entries = 1 << 17;
  MemoryFile small;
  Writer(small, plan_layout(Geometry{9}, entries * Geometry{9}.l2_reach(), {}), {}).finish();
  const std::uint64_t l2_offset = small.data().size();
  small.data().resize(l2_offset + 512, std::byte{0x02});
  for (std::uint64_t i = 0; i < entries; ++i) store_be(std::span(small.data()), 512 + i * 8, l2_offset);
  const CountingFile file(small.data());
  EXPECT_GT(check(file).corruptions, entries - 1);
  EXPECT_LT(file.bytes_read, 2 * file.size());
}

// A file that goes on with zeros for a very long time.
class EndlessFile : public MemoryFile {
 public:
  using MemoryFile::MemoryFile;
  std::uint64_t size() const override { return 1ULL << 62; }
};

TEST(Checker, TakesNoMemoryForHolesInTheFile) {
  TestImage image;
  image.put64(TestImage::kL2 + 16, 1ULL << 55);
  const EndlessFile file(image.file.data());
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
    try {
      EXPECT_GT(check(file).corruptions, 0);
    } catch (const std::system_error& error) {
      EXPECT_EQ(&error.code().category(), &e2qcow_category());
    }
  }
}

TEST(Checker, SurvivesAnyDamage) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20000; ++round) {
    TestImage image;
    const std::uint64_t changes = 1 + random() % 8;
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::uint64_t field = random() % (TestImage::kData / 8) * 8;
      image.put64(field, random() % 2 == 0 ? random() : random() % 20 * 512);
    }
    try {
      check(image.file);
    } catch (const std::system_error& error) {
      EXPECT_EQ(&error.code().category(), &e2qcow_category());
    }
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
