// SPDX-License-Identifier: GPL-2.0-or-later
// Devices with blocks that cannot be read, and devices that end too early.
#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFsBlock = 1024;

class Unreadable : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({{"-t", "ext4", "-b", "1024"}});
    fs::create_directory(path("out"));
  }

  static std::uint64_t offset_of(std::uint64_t block) { return block * kFsBlock; }

  // Dumps while these bytes of disk.img give EIO.
  Outcome dump(const std::string& ranges, Words options, const Words& settings = {}) const {
    Words environment = settings;
    environment.push_back("FAULTY_FILE=" + path("disk.img").string());
    environment.push_back("FAULTY_RANGES=" + ranges);
    options.insert(options.begin(), {"dump", "disk.img", "out/image.qcow2"});
    return e2qcow(options, faulty(environment));
  }
  std::uint64_t inode_table_block_of(const std::string& file) const {
    const std::string place = output_of({"debugfs", "-R", "imap " + file, "disk.img"});
    const std::string before = "located at block ";
    return std::stoull(place.substr(place.find(before) + before.size()));
  }
  static std::string bytes(std::uint64_t offset, std::uint64_t length) {
    return std::to_string(offset) + ":" + std::to_string(length);
  }
  nlohmann::json info() const {
    return nlohmann::json::parse(output_of({E2QCOW_PROGRAM, "info", "--json", "out/image.qcow2"}))["dump"];
  }

  // With the block at `offset` zeroed, disk.img is what the image must hold.
  void expect_all_but_the_block_at(std::uint64_t offset) const {
    patch_file(path("disk.img"), offset, std::string(kFsBlock, '\0'));
    expect_restored_as_by_qemu("out/image.qcow2", "ours.raw");
    expect_same_metadata("ours.raw");
  }
};

// At whatever read it goes away.
TEST_F(Unreadable, ADeviceThatIsGoneEndsTheDumpAndNotWhatIsDone) {
  const std::string block = bytes(offset_of(first_block_of("/large")), 1);
  const auto dump_until = [&](std::uint64_t read) {
    write_file(path("out/image.qcow2"), "the old image");
    return dump(block, {"--all", "--threads=1", "--retries=0"}, {"FAULTY_GONE=" + std::to_string(read)});
  };
  std::uint64_t fails = 1;
  std::uint64_t ends = 1 << 20;
  while (ends - fails > 1) {
    const std::uint64_t read = (fails + ends) / 2;
    const Outcome outcome = dump_until(read);
    const bool failed = outcome.status == 4;
    const bool has_old_image = read_file(path("out/image.qcow2")) == "the old image";
    EXPECT_EQ(has_old_image, failed) << outcome;
    (failed ? fails : ends) = read;
  }
  EXPECT_GT(fails, 5U);
  // The image is complete, and the device is gone when the names of the files that are hit are looked for.
  const Outcome outcome = dump_until(ends);
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_NE(outcome.err.find("could not be determined"), std::string::npos) << outcome;
  EXPECT_EQ(info()["lost-bytes"], kFsBlock);
}

TEST_F(Unreadable, TheFirstAndLastSectorsMayBeUnreadable) {
  write_file(path("map"), "0 ? 1\n0 0x1000 -\n0x1000 0x1fff000 +\n");
  for (const Words& options : {Words{"--all"}, Words{"--all", "--bad-blocks=map"}}) {
    const Outcome outcome = dump("0:4096", options);
    EXPECT_EQ(outcome.status, 3) << outcome;
    EXPECT_NE(outcome.err.find("backup superblock used"), std::string::npos) << outcome;
  }
  patch_file(path("disk.img"), 1024, std::string(1024, '\0'));
  const Outcome outcome = dump(bytes(fs::file_size(path("disk.img")) - 512, 512), {"--all"});
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_NE(outcome.err.find("backup superblock used"), std::string::npos) << outcome;
}

TEST_F(Unreadable, TheMapSaysThatTheSuperblockWasNotRead) {
  write_file(path("map"), "0 ? 1\n0 0x2000000 ?\n");
  expect_failure(dump("0:0", {"--bad-blocks=map"}), {"the place of its superblock was not read"});
}

// The sector in front of a logical partition, which names the next one.
TEST_F(Unreadable, PartitionsBeforeAnUnreadableLinkAreDumped) {
  require_program("sfdisk");
  write_file(path("table"),
             "start=2048,size=65536\nstart=67584,size=8M,type=5\nstart=69632,size=2M\nstart=75776,size=2M\n");
  const std::string file_system = read_file(path("disk.img"));
  write_file(path("disk.img"), std::string(64 << 20, '\0'));
  output_of({"sh", "-c", "sfdisk -q --label dos disk.img <table"});
  patch_file(path("disk.img"), 1 << 20, file_system);
  for (const char* unreadable : {"0:0", "34603008:512", "37748736:512"}) {
    const Outcome outcome = dump(unreadable, {"--partition=1"});
    EXPECT_EQ(outcome.status, 0) << unreadable << outcome;
  }
  expect_failure(dump("37748736:512", {"--partition=5"}), {"no ext2/3/4 file system"});
  expect_failure(
      dump("37748736:512", {"--partition=6"}),
      {"partition 6 was not found: the chain of logical partitions ends early, because the sector at "
       "37748736 is unreadable"});
  expect_failure(dump("0:0", {"--partition=7"}), {"there is no partition 7"});
}

// Some say EIO to everything from then on. All the rest would become zeros.
TEST_F(Unreadable, ADeviceThatSaysNothingButEioIsGone) {
  write_file(path("out/image.qcow2"), "the old image");
  const std::string none = bytes(std::uint64_t{1} << 40, 1);
  expect_failure(
      dump(none, {"--all", "--threads=1", "--retries=0"}, {"FAULTY_GONE=30", "FAULTY_GONE_ERRNO=5"}),
      {"no longer answers"});
  EXPECT_EQ(read_file(path("out/image.qcow2")), "the old image");
}

TEST_F(Unreadable, ABlockOfAFileIsZeroInTheImageAndListed) {
  const std::uint64_t offset = offset_of(first_block_of("/large") + 7);
  const Outcome outcome = dump(bytes(offset + 100, 1), {"--all"});
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_NE(outcome.err.find("1024 bytes at " + std::to_string(offset)), std::string::npos) << outcome;
  EXPECT_EQ(info()["complete"], false);
  EXPECT_EQ(info()["lost-bytes"], kFsBlock);
  const std::string text = output_of({E2QCOW_PROGRAM, "info", "out/image.qcow2"});
  EXPECT_NE(text.find("NO: 1.0 KiB could not be read"), std::string::npos) << text;
  patch_file(path("disk.img"), offset, std::string(kFsBlock, '\0'));
  expect_restored_as_by_qemu("out/image.qcow2", "ours.raw");
  expect_same_blocks_in_use("ours.raw");
}

TEST_F(Unreadable, ABlockThatIsNotWantedDoesNotMatter) {
  const std::uint64_t offset = offset_of(first_block_of("/large") + 7);
  const Outcome outcome = dump(bytes(offset, kFsBlock), {});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(info()["complete"], true);
}

TEST_F(Unreadable, ABlockOfADirectoryCostsThatBlockOnly) {
  const std::uint64_t offset = offset_of(first_block_of("/many"));
  const Outcome outcome = dump(bytes(offset, 512), {});
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_EQ(info()["lost-bytes"], kFsBlock);
  expect_all_but_the_block_at(offset);
}

TEST_F(Unreadable, ABlockOfAnInodeTableCostsThatBlockOnly) {
  const std::uint64_t offset = offset_of(inode_table_block_of("/large"));
  const Outcome outcome = dump(bytes(offset, kFsBlock), {});
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_EQ(info()["lost-bytes"], kFsBlock);
  expect_all_but_the_block_at(offset);
}

TEST_F(Unreadable, ABlockOfTheJournalCostsThatBlockOnly) {
  const std::uint64_t offset = offset_of(first_block_of("<8>") + 1);
  patch_file(path("disk.img"), offset, std::string(kFsBlock, 'j'));
  EXPECT_EQ(dump(bytes(offset, kFsBlock), {}).status, 3);
  EXPECT_EQ(info()["lost-bytes"], kFsBlock);
  expect_all_but_the_block_at(offset);
}

TEST_F(Unreadable, ThePrimarySuperblockIsReplacedByABackup) {
  const Outcome outcome = dump(bytes(1024, 1024), {});
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_NE(outcome.err.find("1024 bytes at 1024"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("backup superblock"), std::string::npos) << outcome;
  patch_file(path("disk.img"), 1024, std::string(1024, '\0'));
  expect_restored_as_by_qemu("out/image.qcow2", "ours.raw");
  expect_same_metadata("ours.raw");
}

TEST_F(Unreadable, ManyAreasAreCountedAndTheListIsShort) {
  std::string ranges;
  const std::uint64_t first = first_block_of("/large");
  for (std::uint64_t i = 0; i < 50; ++i) ranges += bytes(offset_of(first + 2 * i), 1) + ",";
  const Outcome outcome = dump(ranges, {"--all"});
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_EQ(info()["lost-bytes"], 50 * kFsBlock);
  EXPECT_LT(std::ranges::count(outcome.err, '\n'), 20) << outcome;
}

TEST_F(Unreadable, StrictStopsAtTheBlockAndLeavesNothing) {
  const std::uint64_t offset = offset_of(first_block_of("/large") + 7);
  const Outcome outcome = dump(bytes(offset + 100, 1), {"--all", "--strict"});
  expect_failure(outcome, {"disk.img: read at " + std::to_string(offset), "Input/output error"});
  EXPECT_EQ(names_in(path("out")), Words{});
}

TEST_F(Unreadable, ABlockThatIsReadAtTheNextTryIsNoLoss) {
  const std::uint64_t offset = offset_of(first_block_of("/large") + 7);
  const Outcome outcome = dump(bytes(offset, 1), {"--all"}, {"FAULTY_TIMES=2"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  expect_restored_as_by_qemu("out/image.qcow2", "ours.raw");
  expect_same_blocks_in_use("ours.raw");
}

TEST_F(Unreadable, RetriesAreWhatTheUserSays) {
  const std::uint64_t offset = offset_of(first_block_of("/large") + 7);
  EXPECT_EQ(dump(bytes(offset, 1), {"--all", "--retries=0"}, {"FAULTY_TIMES=5"}).status, 3);
  EXPECT_EQ(dump(bytes(offset, 1), {"--all", "--retries=9"}, {"FAULTY_TIMES=5"}).status, 0);
}

TEST_F(Unreadable, RestoreSaysThatTheImageIsNotWhole) {
  const std::uint64_t offset = offset_of(first_block_of("/large") + 7);
  EXPECT_EQ(dump(bytes(offset, kFsBlock), {"--all"}).status, 3);
  const Outcome outcome = e2qcow({"restore", "out/image.qcow2", "ours.raw"});
  EXPECT_NE(outcome.err.find("could not be read"), std::string::npos) << outcome;
}

TEST_F(Unreadable, MeasureSaysSoToo) {
  const std::uint64_t offset = offset_of(inode_table_block_of("/large"));
  const Outcome outcome =
      e2qcow({"measure", "disk.img"},
             faulty({"FAULTY_FILE=" + path("disk.img").string(), "FAULTY_RANGES=" + bytes(offset, 1)}));
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_NE(outcome.err.find("1024 bytes at " + std::to_string(offset)), std::string::npos) << outcome;
}

class Truncated : public FileSystemTest {
 protected:
  void make_short(std::uint64_t size) const {
    make_file_system({{"-t", "ext4", "-b", "1024"}});
    fs::resize_file(path("disk.img"), size);
  }
};

TEST_F(Truncated, ADeviceIsDumpedAsFarAsItGoesAndItIsSaid) {
  make_short(20 << 20);
  const Outcome outcome = e2qcow({"dump", "disk.img", "image.qcow2"});
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_NE(outcome.err.find("shorter than its file system"), std::string::npos) << outcome;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  EXPECT_EQ(fs::file_size(path("ours.raw")), 20 << 20);
  expect_same_metadata("ours.raw");
}

TEST_F(Truncated, ADeviceThatEndsInsideABlockIsRoundedUpToSectors) {
  make_short((20 << 20) + 700);
  EXPECT_EQ(e2qcow({"dump", "disk.img", "image.qcow2"}).status, 3);
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  EXPECT_EQ(fs::file_size(path("ours.raw")), (20 << 20) + 1024);
}

TEST_F(Truncated, ADeviceOfAnyLengthGivesAnImageOrAnError) {
  make_short(32 << 20);
  for (const std::uint64_t size : {9 << 20, 8192 * 1024 + 1500, 1 << 20, 300'000, 4096, 3000, 2049, 2048}) {
    fs::resize_file(path("disk.img"), size);
    const Outcome outcome = e2qcow({"dump", "--all", "disk.img", "image.qcow2"});
    EXPECT_EQ(outcome.status, 3) << size << ": " << outcome;
    expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  }
  for (const std::uint64_t size : {2047, 1500, 1024, 1}) {
    fs::resize_file(path("disk.img"), size);
    expect_failure(e2qcow({"dump", "disk.img", "image.qcow2"}), {"disk.img: no ext2/3/4 file system found"});
  }
}

}  // namespace
}  // namespace e2qcow::test
