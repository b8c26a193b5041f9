// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/stream_writer.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "qcow2/check/checker.h"
#include "qcow2/read/compare_contents.h"
#include "qcow2/read/digest_state.h"
#include "qcow2/read/reader.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"

namespace e2qcow::qcow2 {
namespace {

// What goes out, in memory.
class Written {
 public:
  OutputStream& stream() { return stream_; }
  Bytes bytes() {
    Bytes bytes(stream_.written());
    EXPECT_EQ(::pread(fd_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

 private:
  UniqueFd fd_{::memfd_create("out", MFD_CLOEXEC)};
  OutputStream stream_{fd_.get(), "out"};
};

Layout layout_for(std::uint64_t disk_size, std::uint32_t cluster_bits, const std::vector<Extent>& extents) {
  const Geometry geometry{cluster_bits};
  return plan_layout(geometry, disk_size, count_clusters(extents, geometry));
}

Bytes image_of(MemorySource& source, std::uint32_t cluster_bits, std::uint32_t version = 3) {
  Written out;
  const Layout layout = layout_for(source.size(), cluster_bits, source.extents());
  StreamWriter writer(out.stream(), layout, version, {}, source.extents());
  transfer(source, writer, {});
  return out.bytes();
}

TEST(StreamWriter, WritesTheImageOneWouldMakeByHand) {
  for (const std::uint32_t version : {2U, 3U}) {
    Bytes disk(HandMadeImage::kDiskSize);
    std::fill_n(disk.begin() + kCluster, kCluster, std::byte{0x11});
    std::fill_n(disk.begin() + 60 * kCluster, kCluster, std::byte{0x33});
    MemorySource source(disk, {{kCluster, 2 * kCluster}, {60 * kCluster, kCluster}});
    HandMadeImage expected(version);
    expected.add_data(1, 0x11);
    expected.add_data(2, 0);  // zeros are stored, as the tables were written before they were seen
    expected.add_data(60, 0x33);
    EXPECT_EQ(image_of(source, 9, version), expected.bytes);
  }
}

TEST(StreamWriter, WritesDigestsOfWhatItWrote) {
  Random random;
  for (const std::uint32_t bits : {9U, 12U, 16U})
    for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256}) {
      MemorySource source = MemorySource::random(random, 3'000'000, 100'000, 50'000);
      Written out;
      StreamWriter writer(out.stream(), layout_for(source.size(), bits, source.extents()), 3, {},
                          source.extents(), kind);
      transfer(source, writer, {.threads = 2});
      const MemoryFile file(out.bytes());
      const Reader reader(file);
      const DigestState state = read_digest_state(reader);
      ASSERT_TRUE(state.table);
      EXPECT_EQ(state.seal->kind, kind);
      EXPECT_TRUE(state.tables_are_as_written());
      EXPECT_TRUE(different_clusters(reader, *state.table, {}).empty());
      EXPECT_TRUE(check(file).messages.empty());
    }
}

TEST(StreamWriter, WritesValidImagesOfAnyExtents) {
  Random random;
  for (int round = 0; round < 30; ++round) {
    const std::uint32_t bits = std::array{9U, 10U, 12U, 16U, 21U}[random.below(5)];
    MemorySource source = MemorySource::random(random, random.between(1, 3'000'000), 100'000, 50'000);
    const MemoryFile file(image_of(source, bits));
    const CheckResult result = check(file);
    EXPECT_EQ(result.messages, std::vector<std::string>{}) << bits;
    Reader reader(file);
    Bytes disk = filled(source.size(), 0xee);
    reader.read(0, disk);
    EXPECT_TRUE(disk == source.disk()) << bits;
  }
}

TEST(StreamWriter, WritesAnImageOfADiskWithoutData) {
  MemorySource source(Bytes(1 << 20), {});
  const MemoryFile file(image_of(source, 12));
  EXPECT_EQ(check(file).messages, std::vector<std::string>{});
  EXPECT_EQ(Reader(file).size(), 1U << 20);
}

TEST(StreamWriter, RefusesExtentsThatTheLayoutWasNotPlannedFor) {
  const Layout layout = layout_for(1 << 20, 9, {{0, kCluster}});
  for (const std::vector<Extent>& others :
       {std::vector<Extent>{}, {{0, 2 * kCluster}}, {{0, kCluster}, {1 << 19, kCluster}}}) {
    Written out;
    EXPECT_EQ(code_of([&] { StreamWriter(out.stream(), layout, 3, {}, others); }), Errc::refused);
    EXPECT_EQ(out.stream().written(), 0U);
  }
}

TEST(StreamWriter, DoesNotFinishWithLessDataThanTheTablesPromise) {
  Written out;
  const std::vector<Extent> extents{{0, 2 * kCluster}};
  StreamWriter writer(out.stream(), layout_for(1 << 20, 9, extents), 3, {}, extents);
  MemorySource source(Bytes(1 << 20), {{0, kCluster}});
  EXPECT_EQ(code_of([&] { transfer(source, writer, {}); }), Errc::changed);
}

}  // namespace
}  // namespace e2qcow::qcow2
