// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/dump.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "ext2/structures/superblock.h"
#include "qcow2/check/checker.h"
#include "tests/support/errors.h"
#include "tests/support/real_filesystem.h"
#include "work/compare.h"
#include "work/map_files.h"
#include "work/measure.h"
#include "work/report.h"

namespace e2qcow::work {
namespace {

class Dump : public RealFilesystem {
 protected:
  void SetUp() override {
    RealFilesystem::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) disk_ = make("-t ext4 -b 1024", "16M");
  }
  std::string image() const { return disk_ + ".qcow2"; }
  DumpResult dump(const DumpOptions& options) const {
    const Device device({.path = disk_});
    return work::dump(device, open_dump_target(device, image()), options);
  }

  std::string disk_;
};

TEST_F(Dump, OfAllBlocksIsTheSameDisk) {
  const DumpResult result = dump({.kind = DumpKind::all});
  EXPECT_EQ(result.disk_size, 16U << 20);
  EXPECT_EQ(result.image_size, open(image())->size());
  const CompareResult difference =
      compare(DiskFiles({.path = disk_}), DiskFiles({.path = image()}), qcow2::DataFiles({}),
              CompareWhat::everything, CompareDepth::first_difference, {});
  EXPECT_EQ(difference.first_difference, std::nullopt);
}

TEST_F(Dump, SaysInTheImageWhatItIs) {
  const DumpResult result = dump({});
  EXPECT_EQ(qcow2::check(*open(image())).messages, std::vector<std::string>{});
  const auto file = open(image());
  const auto record = qcow2::Reader(*file).record();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->kind, DumpKind::metadata);
  EXPECT_EQ(record->lost_bytes, 0);
  EXPECT_TRUE(record->losses_known);
  EXPECT_EQ(record->block_size, 1024);
  EXPECT_EQ(result.survey.findings->total(), 0);
}

TEST_F(Dump, IsAsLargeAsMeasured) {
  const DumpResult result = dump({.format = {.cluster_bits = 12}});
  const MeasureResult measured = measure(Device({.path = disk_}), {});
  const auto weight = std::ranges::find(measured.weights, 4096, &ImageWeight::cluster_size);
  ASSERT_NE(weight, measured.weights.end());
  EXPECT_LE(result.image_size, weight->image_size);  // clusters of zeros are left out
  EXPECT_EQ(measured.survey.selected.bytes(), result.survey.selected.bytes());
}

TEST_F(Dump, DoesNotGoIfTheDiskIs) {
  const Device device({.path = disk_});
  EXPECT_EQ(code_of([&] { open_dump_target(device, disk_); }), Errc::overwrites_input);
}

TEST_F(Dump, OfAHealthyFileSystemHasNothingToReport) {
  const Device device({.path = disk_});
  const Survey found = survey(device, {});
  const Report report = make_report(device, found, Paths::of_findings_too, ignore_notice);
  EXPECT_TRUE(report.losses.empty());
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(device.lost_bytes(), 0);
}

TEST_F(Dump, OfADiskWithoutAFileSystemIsMadeIfThatIsAccepted) {
  const std::string empty = disk_ + ".empty";
  write_text(empty, std::string(1 << 20, '\0'));
  EXPECT_EQ(code_of([&] { Device({.path = empty}); }), Errc::not_ext2);
  const Device device({.path = empty, .accept_no_filesystem = true});
  EXPECT_EQ(device.filesystem(), nullptr);
  EXPECT_EQ(survey(device, {}).findings->total(), 1);
}

TEST_F(Dump, NeedsTheSuperblockThatIsChosen) {
  const DeviceOptions options{
      .path = disk_, .superblock = {.block = 100, .block_size = {}}, .accept_no_filesystem = true};
  EXPECT_EQ(code_of([&] { Device{options}; }), Errc::no_superblock);
}

TEST_F(Dump, NeedsAnOffsetOnTheDevice) {
  EXPECT_EQ(code_of([&] { Device({.path = disk_, .offset = 17 << 20}); }), Errc::truncated);
}

TEST(ReportText, NamesTheFirstPlaceAndHowManyMore) {
  const auto text_for = [](std::uint64_t count, std::uint64_t inode) {
    return text_of(Finding::bad_extent_node, {count, {Finding::bad_extent_node, inode, 345}});
  };
  EXPECT_TRUE(text_for(1, 12).ends_with(": inode 12, block 345")) << text_for(1, 12);
  EXPECT_TRUE(text_for(7, 0).ends_with(": block 345 (and 6 more)")) << text_for(7, 0);
}

}  // namespace
}  // namespace e2qcow::work
