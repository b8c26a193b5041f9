// SPDX-License-Identifier: GPL-2.0-or-later
// Our e2image and block devices.
#include "tests/program/support/block_devices.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class E2imageDevices : public BlockDeviceTest {
 protected:
  Outcome ours(Words words) const {
    words.insert(words.begin(), E2IMAGE_PROGRAM);
    return run(words);
  }
  std::string used_device(std::uint64_t size) {
    write_file(path("device.img"), std::string(size, 'x'));
    return attach("device.img");
  }
};

TEST_F(E2imageDevices, FstestsDumpADeviceAndRestoreItToAnother) {
  const std::string source = attach("disk.img");
  const std::string target = used_device(33 << 20);
  EXPECT_EQ(ours({"-Q", source, "image.qcow2"}).status, 0);
  const Outcome outcome = ours({"-r", "image.qcow2", target});
  EXPECT_EQ(outcome.status, 0) << outcome;
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image.qcow2", "by-qemu.raw"});
  const std::string bytes = read_file(path("device.img"));
  EXPECT_TRUE(bytes.substr(0, 32 << 20) == read_file(path("by-qemu.raw")));
  EXPECT_EQ(bytes.substr(32 << 20), std::string(1 << 20, 'x'));
}

// Also those inode tables that were never used, as a device is not known to have zeros there.
TEST_F(E2imageDevices, ACopyToADeviceWritesTheBlocksInUseAndNoOthers) {
  const std::string target = used_device(32 << 20);
  const Outcome outcome = ours({"-rap", "disk.img", target});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(run({"e2fsck", "-fn", target}).status, 0);
  output_of({"dd", "if=" + target, "of=ours.raw", "bs=1M", "status=none"});
  expect_same_files("ours.raw");
  EXPECT_NE(read_file(path("ours.raw")).find(std::string(1024, 'x')), std::string::npos);
}

TEST_F(E2imageDevices, ADeviceThatIsTooSmallIsNotTouched) {
  const std::string target = used_device(20 << 20);
  EXPECT_EQ(run({"e2image", "-Q", "disk.img", "image.qcow2"}).status, 0);
  for (const Words& words : {Words{"-ra", "disk.img", target}, Words{"-r", "image.qcow2", target},
                             Words{"-ra", "-O", "1048576", "disk.img", target}}) {
    const Outcome outcome = ours(words);
    EXPECT_EQ(outcome.status, 1) << outcome;
    EXPECT_NE(outcome.err.find("too small"), std::string::npos) << outcome;
  }
  EXPECT_TRUE(read_file(path("device.img")) == std::string(20 << 20, 'x'));
}

// Its blocks in use would fit.
TEST_F(E2imageDevices, ADeviceThatEndsAfterTheLastBlockInUseIsTooSmall) {
  const std::string target = used_device(20 << 20);
  output_of({"mke2fs", "-q", "-F", "-t", "ext4", "empty.img", "21M"});
  for (const std::string option : {"-r", "-ra"}) {
    EXPECT_EQ(run({"e2image", option, "empty.img", target}).status, 1);
    write_file(path("device.img"), std::string(20 << 20, 'x'));
    const Outcome outcome = ours({option, "empty.img", target});
    EXPECT_EQ(outcome.status, 1) << outcome;
    EXPECT_NE(outcome.err.find("too small"), std::string::npos) << outcome;
  }
  EXPECT_TRUE(read_file(path("device.img")) == std::string(20 << 20, 'x'));
}

TEST_F(E2imageDevices, AnImageOnAUsedDeviceIsValid) {
  const std::string target = used_device(40 << 20);
  const Outcome outcome = ours({"-Q", "disk.img", target});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(run({"e2image", "-r", "disk.img", "theirs.raw"}).status, 0);
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", target, "by-qemu.raw"});
  fs::resize_file(path("theirs.raw"), fs::file_size(path("by-qemu.raw")));
  expect_same_metadata("by-qemu.raw");
}

TEST_F(E2imageDevices, AMountedDeviceIsReadWhenForcedAndNeverWritten) {
  const std::string device = attach("disk.img");
  mount(device);
  const Outcome refused = ours({"-r", device, "ours.raw"});
  EXPECT_EQ(refused.status, 1) << refused;
  EXPECT_NE(refused.err.find("\nRunning e2image on a R/W mounted filesystem can result in an\n"),
            std::string::npos);
  EXPECT_EQ(ours({"-rf", device, "ours.raw"}).status, 0);
  EXPECT_EQ(ours({"-ra", "ours.raw", device}).status, 1);
}

TEST_F(E2imageDevices, AFileSystemMovesOnADevice) {
  copy_disk(path("disk.img"), path("device.img"));
  fs::resize_file(path("device.img"), 40 << 20);
  const std::string device = attach("device.img");
  const Outcome outcome = ours({"-ra", "-p", "-O", "1048576", device});
  EXPECT_EQ(outcome.status, 0) << outcome;
  write_file(path("ours.raw"), read_file(path("device.img")).substr(1 << 20, 32 << 20));
  EXPECT_EQ(run({"e2fsck", "-fn", "ours.raw"}).status, 0);
  EXPECT_EQ(ours({"-ra", "-O", "20971520", device}).status,
            1);  // there is nothing any more; nor is there room
}

}  // namespace
}  // namespace e2qcow::test
