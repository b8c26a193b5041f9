// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "qcow2/write/writer.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "qcow2/read/chain.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"

namespace e2qcow::qcow2 {
namespace {

Layout layout_for(const MemorySource& source, std::uint32_t cluster_bits) {
  const Geometry geometry{cluster_bits};
  return plan_layout(geometry, source.size(), count_clusters(source.extents(), geometry));
}

void write_image(File& file, MemorySource& source, std::uint32_t cluster_bits = 9,
                 Writer::Options options = {}, unsigned threads = 1) {
  Writer writer(file, layout_for(source, cluster_bits), std::move(options));
  transfer(source, writer, {.threads = threads});
}

// A disk of 64 KiB with whole clusters of the given value in it.
MemorySource disk_with(const std::vector<std::pair<std::uint64_t, int>>& clusters) {
  Bytes disk(HandMadeImage::kDiskSize);
  std::vector<Extent> extents;
  for (const auto& [cluster, value] : clusters) {
    extents.push_back({cluster * kCluster, kCluster});
    std::fill_n(disk.begin() + static_cast<std::ptrdiff_t>(cluster * kCluster), kCluster,
                static_cast<std::byte>(value));
  }
  return {disk, extents};
}

class WriterOfVersion : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Versions, WriterOfVersion, testing::Values(2, 3));

TEST_P(WriterOfVersion, WritesTheImageOneWouldMakeByHand) {
  MemorySource source = disk_with({{1, 0x11}, {2, 0x22}, {60, 0x33}});
  MemoryFile file;
  write_image(file, source, 9, {.version = GetParam()});
  HandMadeImage expected(GetParam());
  expected.add_data(1, 0x11);
  expected.add_data(2, 0x22);
  expected.add_data(60, 0x33);
  EXPECT_EQ(file.data(), expected.bytes);
}

TEST_P(WriterOfVersion, WritesWhatTheReaderReadsBack) {
  Random random;
  for (const std::uint32_t bits : {9U, 12U, 16U, 21U}) {
    MemorySource source = MemorySource::random(random, 3'000'000, 100'000, 50'000);
    MemoryFile file;
    write_image(file, source, bits, {.version = GetParam()});
    Reader reader(file);
    Bytes disk(source.size());
    reader.read(0, disk);
    EXPECT_EQ(reader.size(), source.size());
    EXPECT_TRUE(disk == source.disk()) << bits;
  }
}

TEST(Writer, RefusesMoreL2TablesThanPlanned) {
  MemorySource source = disk_with({{3, 0x11}, {64, 0x22}});
  MemoryFile file;
  Writer writer(file, layout_for(disk_with({{3, 0x11}}), 9), {});
  EXPECT_EQ(code_of([&] { transfer(source, writer, {}); }), Errc::changed);
}

TEST(Writer, BeginsATableForEveryPartOfTheDiskThatHasData) {
  MemorySource source = disk_with({{3, 0x11}, {64, 0x22}});
  MemoryFile file;
  write_image(file, source);
  Bytes l1;
  put_be(l1, 0x8000'0000'0000'0800, 8);  // 2048
  put_be(l1, 0x8000'0000'0000'0a00, 8);  // 2560
  EXPECT_EQ(part_of(file.data(), 512, 16), l1);
  Bytes entries;
  put_be(entries, 0x8000'0000'0000'0c00, 8);  // 3072
  put_be(entries, 0x8000'0000'0000'0e00, 8);  // 3584
  EXPECT_EQ(part_of(file.data(), 2048 + 3 * 8, 8), part_of(entries, 0, 8));
  EXPECT_EQ(part_of(file.data(), 2560, 8), part_of(entries, 8, 8));
  EXPECT_EQ(part_of(file.data(), 3072, 1024).front(), std::byte{0x11});
  EXPECT_EQ(part_of(file.data(), 3584, 512), filled(512, 0x22));
  EXPECT_EQ(file.data().size(), 4096);
}

TEST(Writer, StoresNothingOfZeros) {
  MemorySource source(Bytes(HandMadeImage::kDiskSize), {{kCluster, kCluster}, {3 * kCluster, kCluster}});
  MemoryFile file;
  const Layout layout = layout_for(source, 9);
  Writer writer(file, layout, {});
  transfer(source, writer, {});
  HandMadeImage expected;
  expected.set_l1_entry(0, 0);
  expected.set_refcount(4, 0);  // reserved for an L2 table, which is not needed
  EXPECT_EQ(file.data(), expected.bytes);
  EXPECT_EQ(writer.image_size(), 5 * kCluster);
}

TEST(Writer, StoresNothingOfZerosBetweenData) {
  MemorySource source = disk_with({{1, 0x11}, {2, 0}, {3, 0x33}});
  MemoryFile file;
  write_image(file, source);
  HandMadeImage expected;
  expected.add_data(1, 0x11);
  expected.add_data(3, 0x33);
  EXPECT_EQ(file.data(), expected.bytes);
}

TEST(Writer, WritesAnImageOfADiskWithoutData) {
  MemorySource source(Bytes(1 << 20), {});
  MemoryFile file;
  write_image(file, source, 16);
  EXPECT_EQ(file.data().size(), 4 << 16);  // header, L1, refcount table, refcount block
  Reader reader(file);
  EXPECT_EQ(Chain({&reader}, nullptr).next_extent(0), std::nullopt);
}

TEST(Writer, WritesTheSameBytesWithAnyNumberOfThreads) {
  Random random;
  MemorySource source = MemorySource::random(random, 20 << 20, 10'000, 100'000);
  MemoryFile expected;
  write_image(expected, source, 12);
  for (const unsigned threads : {1U, 2U, 5U}) {
    MemoryFile file;
    write_image(file, source, 12, {}, threads);
    EXPECT_TRUE(file.data() == expected.data()) << threads;
  }
}

TEST(Writer, WritesTheSameBytesOverOldData) {
  Random random;
  MemorySource source = MemorySource::random(random, 1 << 20, 50'000, 10'000);
  MemoryFile expected;
  write_image(expected, source);
  MemoryFile file(filled(3 << 20, 0xee));
  write_image(file, source, 9, {.background = TableWriter::Background::old_data});
  Reader reader(file);
  Bytes disk(source.size());
  reader.read(0, disk);
  EXPECT_TRUE(disk == source.disk());
  EXPECT_EQ(file.data().size(), expected.data().size());
}

TEST(Writer, AsksForExtensionsAtTheEndAndPutsThemAfterTheHeader) {
  MemorySource source = disk_with({{1, 0x11}});
  MemoryFile file;
  int asked = 0;
  const auto extensions = [&] {
    ++asked;
    EXPECT_EQ(part_of(file.data(), HandMadeImage::kData, kCluster), filled(kCluster, 0x11));
    return std::vector<Extension>{{0x12345678, bytes_of({1, 2, 3})}};
  };
  write_image(file, source, 9, {.extensions = extensions});
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(part_of(file.data(), 112, 24),
            bytes_of({0x12, 0x34, 0x56, 0x78, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

bool has_header(const MemoryFile& file) {
  const Bytes front = part_of(file.data(), 0, std::min<std::uint64_t>(file.data().size(), 112));
  return code_of([&] { decode_header(front, file.data().size(), "cut.qcow2"); }) == std::error_code();
}

// Makes the n-th write and all that follow fail, for each n until all goes well; looks at what is left.
void expect_no_header_until_all_is_written(const Bytes& before, const Writer::Options& options,
                                           std::uint64_t first) {
  Random random;
  MemorySource source = MemorySource::random(random, 100'000, 30'000, 20'000);
  bool failed = true;
  std::uint64_t n = first;
  for (; failed; ++n) {
    ASSERT_LT(n, 1000);
    MemoryFile file(before);
    file.fail_at_write(n);
    failed = code_of([&] { write_image(file, source, 9, options); }) != std::error_code();
    EXPECT_EQ(has_header(file), !failed) << "write " << n;
  }
  EXPECT_GT(n, first + 6);  // size, old header, data, L1, L2, refcounts, header
}

TEST(Writer, LeavesNoImageInANewFileWhateverWriteFails) {
  expect_no_header_until_all_is_written({}, {}, 0);
}

// An image of 1 MiB, to be written over.
Bytes old_image() {
  Random random;
  MemorySource source(random.bytes(1 << 20), {{0, 1 << 20}});
  MemoryFile file;
  write_image(file, source);
  return file.data();
}

TEST(Writer, LeavesNoImageOverAnOldOneIfAnyWriteAfterTheFirstTwoFails) {
  expect_no_header_until_all_is_written(old_image(), {.background = TableWriter::Background::old_data}, 2);
}

TEST(Writer, DestroysAnOldHeaderBeforeItChangesAnythingElse) {
  MemoryFile file(old_image());
  const Bytes before = file.data();
  MemorySource source = disk_with({{1, 0x11}});
  file.fail_at_write(1);
  EXPECT_NE(code_of([&] { write_image(file, source, 9, {.background = TableWriter::Background::old_data}); }),
            std::error_code());
  EXPECT_TRUE(file.data() == before || !has_header(file));
}

}  // namespace
}  // namespace e2qcow::qcow2
