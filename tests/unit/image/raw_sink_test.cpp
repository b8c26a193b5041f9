// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/raw_sink.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"
#include "tests/support/sizes.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kHead = 64 * kKiB;

// Remembers where it was written to.
class Target : public MemoryFile {
 public:
  using MemoryFile::MemoryFile;
  using MemoryFile::write;
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    MemoryFile::write(offset, data);
    if (!data.empty()) written_.push_back({offset, data.size()});
  }
  void write_back(Extent range) override { written_back_.push_back(range); }
  const std::vector<Extent>& written() const { return written_; }
  const std::vector<Extent>& written_back() const { return written_back_; }

 private:
  std::vector<Extent> written_;
  std::vector<Extent> written_back_;
};

RawSink::Options over_old_contents(std::uint64_t size) {
  return {.size = size, .overwrites = true};
}

MemorySource disk_with(std::uint64_t size, const std::vector<Extent>& extents) {
  Bytes disk(size);
  for (const Extent& extent : extents)
    for (std::uint64_t i = extent.offset; i < extent.end(); ++i)
      disk[i] = static_cast<std::byte>(1 + i % 255);
  return {disk, extents};
}

TEST(RawSink, WritesADiskOfExactlyItsSize) {
  MemorySource source = disk_with(100'000, {{0, 5000}, {50'000, 20'000}, {99'999, 1}});
  Target file;
  RawSink sink(file, {.size = 100'000});
  transfer(source, sink, {});
  EXPECT_TRUE(file.data() == source.disk());
}

TEST(RawSink, WritesNothingIfTheDiskIsZero) {
  MemorySource source = disk_with(64 * kKiB, {{4096, 4096}, {20'000, 1}});
  Target file;
  RawSink sink(file, {.size = 64 * kKiB});
  transfer(source, sink, {});
  EXPECT_EQ(file.written(), (std::vector<Extent>{{4096, 4096}, {16384, 4096}}));
}

TEST(RawSink, StartsWritingToTheDiskAtOnceIfItIsSyncedAtTheEnd) {
  for (const Durability durability : {Durability::none, Durability::synced}) {
    MemorySource source = disk_with(64 * kKiB, {{4096, 4096}});
    Target file;
    RawSink sink(file, {.size = 64 * kKiB, .durability = durability});
    transfer(source, sink, {});
    EXPECT_EQ(file.written_back(), durability == Durability::synced ? file.written() : std::vector<Extent>{});
  }
}

TEST(RawSink, LeavesOutZerosInsideExtents) {
  Bytes disk = filled(16384, 1);
  std::fill_n(disk.begin() + 4096, 8192, std::byte{0});
  MemorySource source(disk, {{0, 16384}});
  Target file;
  RawSink sink(file, {.size = 16384});
  transfer(source, sink, {});
  EXPECT_EQ(file.written(), (std::vector<Extent>{{0, 4096}, {12288, 4096}}));
  EXPECT_TRUE(file.data() == disk);
}

class RawSinkOverwriting : public testing::TestWithParam<File::Zeroing> {};
INSTANTIATE_TEST_SUITE_P(Zeroings, RawSinkOverwriting,
                         testing::Values(File::Zeroing::keep_allocated, File::Zeroing::discard));

TEST_P(RawSinkOverwriting, ClearsOldContentsAndKeepsDataPastTheDisk) {
  Random random;
  for (const std::uint64_t size : {kKiB, kHead, kHead + 512, 1000 * kKiB}) {
    MemorySource source = MemorySource::random(random, size, 100'000, 50'000);
    Target device(filled(size + 5000, 0xee));
    RawSink sink(device, {.size = size, .overwrites = true, .zeroing = GetParam()});
    transfer(source, sink, {});
    EXPECT_TRUE(part_of(device.data(), 0, size) == source.disk()) << size;
    EXPECT_EQ(part_of(device.data(), size, 5000), filled(5000, 0xee)) << size;
  }
}

TEST_P(RawSinkOverwriting, WritesADiskIntoTheMiddleOfADeviceAndKeepsWhatIsAroundIt) {
  Random random;
  for (const std::uint64_t size : {kKiB, kHead, kHead + 512, 1000 * kKiB}) {
    MemorySource source = MemorySource::random(random, size, 100'000, 50'000);
    Target device(filled(3000 + size + 5000, 0xee));
    RawSink sink(device, {.size = size, .offset = 3000, .overwrites = true, .zeroing = GetParam()});
    transfer(source, sink, {});
    EXPECT_EQ(part_of(device.data(), 0, 3000), filled(3000, 0xee)) << size;
    EXPECT_TRUE(part_of(device.data(), 3000, size) == source.disk()) << size;
    EXPECT_EQ(part_of(device.data(), 3000 + size, 5000), filled(5000, 0xee)) << size;
  }
}

TEST(RawSink, ClearsADeviceForADiskWithoutData) {
  MemorySource source(Bytes(300 * kKiB), {});
  Target device(filled(300 * kKiB, 0xee));
  RawSink sink(device, over_old_contents(300 * kKiB));
  transfer(source, sink, {});
  EXPECT_TRUE(device.data() == source.disk());
}

TEST(RawSink, WritesTheHeadOnceAtFirstWithZerosAndOnceAtTheEnd) {
  MemorySource source = disk_with(300 * kKiB, {{0, 300 * kKiB}});
  Target device(filled(300 * kKiB, 0xee));
  RawSink sink(device, over_old_contents(300 * kKiB));
  transfer(source, sink, {});
  EXPECT_EQ(device.written(), (std::vector<Extent>{{0, kHead}, {kHead, 236 * kKiB}, {0, kHead}}));
}

// Restores onto a device whose n-th write fails, and those after it. False if everything succeeded.
bool fails_at_write(Target& device, const ImageSource& source, std::uint64_t n) {
  device.fail_at_write(n);
  return code_of([&] {
           RawSink sink(device, over_old_contents(source.size()));
           transfer(source, sink, {});
         }) != std::error_code();
}

TEST(RawSink, HasNothingOfTheNewHeadOnADeviceUntilAllElseIsThere) {
  MemorySource source = disk_with(500 * kKiB, {{0, 100 * kKiB}, {200 * kKiB, 10}, {400 * kKiB, 100 * kKiB}});
  const Bytes old = filled(500 * kKiB, 0xee);
  const Bytes old_head = filled(kHead, 0xee);
  std::uint64_t n = 0;
  bool head_is_new = false;
  for (Target device(old); fails_at_write(device, source, n); device.data() = old, ++n) {
    ASSERT_LT(n, 100);
    const Bytes head = part_of(device.data(), 0, kHead);
    head_is_new = head == part_of(source.disk(), 0, kHead);
    if (head_is_new)
      EXPECT_TRUE(device.data() == source.disk()) << n;
    else
      EXPECT_TRUE(n == 0 ? head == old_head : is_zero(head)) << n;
  }
  EXPECT_GE(n, 6);  // zeros, two extents, two gaps, sync, head, sync
  EXPECT_TRUE(head_is_new) << "the sync after the head was never seen to fail";
}

TEST(RawSink, FailsWithEveryWriteToANewFile) {
  MemorySource source = disk_with(100 * kKiB, {{0, 4096}, {50 * kKiB, 4096}});
  for (std::uint64_t n = 0; n < 3; ++n) {
    Target file;
    file.fail_at_write(n);
    EXPECT_EQ(code_of([&] {
                RawSink sink(file, {.size = 100 * kKiB});
                transfer(source, sink, {});
              }),
              std::errc::io_error)
        << n;
  }
}

TEST(RawSink, AcceptsADiskThatIsLargerThanTheTargetWhenItEndsInZeros) {
  MemorySource source = disk_with(300 * kKiB, {{0, 200 * kKiB}});
  Target device(filled(200 * kKiB, 0xee));
  RawSink sink(device, over_old_contents(200 * kKiB));
  transfer(source, sink, {});
  EXPECT_TRUE(device.data() == part_of(source.disk(), 0, 200 * kKiB));
}

TEST(RawSink, RefusesDataPastTheEndOfATargetThatIsTooSmall) {
  for (const Extent behind :
       {Extent{200 * kKiB, 1}, Extent{250 * kKiB, 1}, Extent{100 * kKiB, 100 * kKiB + 1}}) {
    MemorySource source = disk_with(300 * kKiB, {behind});
    Target device(filled(200 * kKiB, 0xee));
    RawSink sink(device, over_old_contents(200 * kKiB));
    EXPECT_EQ(code_of([&] { transfer(source, sink, {}); }), Errc::too_small) << behind.offset;
    EXPECT_EQ(device.data().size(), 200 * kKiB);
  }
}

// An old superblock must not come back after a power failure, over new data.
TEST(RawSink, SyncsTheClearedHeadBeforeAnythingElse) {
  MemoryFile file(std::vector<std::byte>(1 << 20, std::byte{0x77}));
  file.fail_at_write(1);
  EXPECT_THROW(RawSink(file, {.size = 1 << 20, .overwrites = true}), std::system_error);
  EXPECT_EQ(file.data()[0], std::byte{0});
}

}  // namespace
}  // namespace e2qcow
