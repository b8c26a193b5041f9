// SPDX-License-Identifier: GPL-2.0-or-later
// Our verdict on an image against that of qemu-img check.

#include "tests/program/support/check_against_qemu.h"

namespace e2qcow::qcow2 {
namespace {

TEST_F(CheckAgainstQemu, OnAllClusterSizes) {
  make_disk((3 << 20) + 512);
  for (std::uint32_t bits = kMinClusterBits; bits <= kMaxClusterBits; ++bits)
    for (const char* options : {"", "-c", "-o compat=0.10", "-o compression_type=zstd -c"}) {
      SCOPED_TRACE(fmt::format("{} {}", bits, options));
      convert(fmt::format("-o cluster_size={} {}", 1U << bits, options));
      expect_same_judgement(Verdict::clean);
    }
}

TEST_F(CheckAgainstQemu, OnAllRefcountWidths) {
  make_disk(3 << 20);
  for (std::uint32_t bits = 1; bits <= 64; bits *= 2)
    for (const char* options : {"-o cluster_size=512", "-o cluster_size=64k", "-o cluster_size=1M"}) {
      SCOPED_TRACE(fmt::format("{} {}", bits, options));
      convert(fmt::format("{} -o refcount_bits={}", options, bits));
      expect_same_judgement(Verdict::clean);
    }
}

TEST_F(CheckAgainstQemu, OnPreallocatedImages) {
  for (const std::string mode : {"off", "metadata", "falloc", "full"})
    for (const char* options : {"-o cluster_size=512", "-o cluster_size=64k", "-o cluster_size=2M"}) {
      SCOPED_TRACE(mode + options);
      create("-o preallocation=" + mode + " " + options, "5000k");
      expect_same_judgement(Verdict::clean);
      resize("--preallocation=" + mode, "7M");
      expect_same_judgement(Verdict::clean);
    }
}

TEST_F(CheckAgainstQemu, OnDisksOfAllSizes) {
  for (const char* size : {"0", "512", "1000", "64k", "65k", "1G", "100G", "10T"}) {
    SCOPED_TRACE(size);
    create("", size);
    expect_same_judgement(Verdict::clean);
  }
}

TEST_F(CheckAgainstQemu, OnImagesThatWereWrittenTo) {
  create("-o cluster_size=4k,lazy_refcounts=on", "64M");
  for (const char* range : {"0 1000", "-z 4k 12k", "-c 1M 4k", "-z -u 1M 64k", "63M 1M", "5000000 1"}) {
    SCOPED_TRACE(range);
    write(range);
    expect_same_judgement(Verdict::clean);
  }
  resize("--shrink", "40M");
  expect_same_judgement(Verdict::clean);
}

TEST_F(CheckAgainstQemu, OnZeroClustersThatKeepTheirPlace) {
  create("-o preallocation=full", "1M");
  write("-z 0 512k");
  expect_same_judgement(Verdict::clean);
}

// QEMU continues with the table as if it were there, or gives up.
TEST_F(CheckAgainstQemu, OnTablesThatCannotBeWhereTheHeaderHasThem) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  make_disk(1 << 20);
  struct Field {
    std::uint64_t offset;
    std::uint64_t value;
  };
  for (const auto [offset, value] :
       {Field{40, kFar}, Field{40, 0}, Field{40, 512}, Field{48, kFar}, Field{48, 512}, Field{56, 0},
        Field{56, ~0ULL}, Field{64, kFar}, Field{64, 512}}) {
    SCOPED_TRACE(fmt::format("{} {}", offset, value));
    convert("");
    change("qemu-img snapshot -c one");
    put64(offset, value);
    EXPECT_EQ(judge_by_qemu().verdict, Verdict::corrupt);
    const Outcome outcome = e2qcow({"check", "image"});
    EXPECT_EQ(outcome.status, 2) << outcome;
    EXPECT_NE(outcome.out.find("image: corruption: header: "), std::string::npos) << outcome;
  }
}

TEST_F(CheckAgainstQemu, OnSnapshots) {
  make_disk(3 << 20);
  for (const char* options :
       {"", "-o compat=0.10", "-o cluster_size=512", "-c -o cluster_size=4k", "-o refcount_bits=64"}) {
    SCOPED_TRACE(options);
    convert(options);
    change("qemu-img snapshot -c one");
    expect_same_judgement(Verdict::clean);
    write("100k 300k");
    change("qemu-img snapshot -c two");
    write("1M 1M");
    expect_same_judgement(Verdict::clean);
    change("qemu-img snapshot -d one");
    expect_same_judgement(Verdict::clean);
    change("qemu-img snapshot -a two");
    expect_same_judgement(Verdict::clean);
  }
}

TEST_F(CheckAgainstQemu, OnSnapshotsOfADiskOfAnotherSize) {
  make_disk(3 << 20);
  convert("-o cluster_size=4k");
  change("qemu-img snapshot -c small");
  resize("", "300M");
  write("200M 100k");
  change("qemu-img snapshot -c large");
  expect_same_judgement(Verdict::clean);
  change("qemu-img snapshot -a small");
  write("0 1M");
  expect_same_judgement(Verdict::clean);
}

TEST_F(CheckAgainstQemu, OnBitmaps) {
  for (const char* options : {"", "-o cluster_size=512", "-o cluster_size=4k"}) {
    SCOPED_TRACE(options);
    create(options, "100M");
    add_bitmap("", "one");
    expect_same_judgement(Verdict::clean);
    add_bitmap("-g 4k", "two");
    write("0 1M");
    write("80M 10k");
    expect_same_judgement(Verdict::clean);
    output_of({"qemu-img", "bitmap", "--remove", "image", "one"});
    expect_same_judgement(Verdict::clean);
  }
}

TEST_F(CheckAgainstQemu, OnBitmapsThatAreOutOfDate) {
  create("", "100M");
  add_bitmap("", "one");
  write("0 1M");
  put64(kAutoclearField, 0);
  expect_same_judgement(Verdict::leaks);
}

TEST_F(CheckAgainstQemu, OnImagesWithABackingFile) {
  make_disk(3 << 20);
  change("qemu-img create -q -f qcow2 -b disk -F raw");
  write("100k 100k");
  expect_same_judgement(Verdict::clean);
}

TEST_F(CheckAgainstQemu, OnLeakedClusters) {
  make_disk(3 << 20);
  for (const char* options : {"", "-o cluster_size=512", "-o compat=0.10", "-o refcount_bits=1"}) {
    SCOPED_TRACE(options);
    convert(options);
    const std::uint64_t l1_offset = get64(kL1OffsetField);
    const std::uint64_t l2_offset = get64(l1_offset) & kOffsetMask;
    put64(l2_offset, 0);
    put64(l2_offset + 8, 0);
    expect_same_judgement(Verdict::leaks);
    put64(l1_offset, 0);
    expect_same_judgement(Verdict::leaks);
  }
}

TEST_F(CheckAgainstQemu, OnClustersThatAreNotCounted) {
  make_disk(3 << 20);
  for (const char* options : {"", "-o cluster_size=512", "-o compat=0.10", "-o refcount_bits=64"}) {
    SCOPED_TRACE(options);
    convert(options);
    const std::uint64_t refcount_block = get64(get64(kRefcountTableField));
    put64(refcount_block, 0);
    expect_same_judgement(Verdict::corrupt);
  }
}

TEST_F(CheckAgainstQemu, OnFilesThatWereCutOff) {
  make_disk(3 << 20);
  convert("-o cluster_size=4k");
  const std::uint64_t size = std::filesystem::file_size(path("image"));
  for (const std::uint64_t clusters : {1, 2, 10}) {
    std::filesystem::resize_file(path("image"), size - clusters * 4096);
    expect_same_judgement(Verdict::corrupt);
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
