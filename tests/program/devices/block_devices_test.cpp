// SPDX-License-Identifier: GPL-2.0-or-later
// Block devices, mounted file systems, and disks that are full.
#include "tests/program/support/block_devices.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class DumpOfDevice : public BlockDeviceTest {};

TEST_F(DumpOfDevice, HoldsEveryBlockInUse) {
  const Outcome dump = e2qcow({"dump", "--all", attach("disk.img"), "image.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_blocks_in_use("ours.raw");
}

TEST_F(DumpOfDevice, IsTheSameAsOfTheFile) {
  EXPECT_EQ(e2qcow({"dump", attach("disk.img"), "image.qcow2"}).status, 0);
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_metadata("ours.raw");
}

TEST_F(DumpOfDevice, IsRefusedWhileItIsMountedReadWrite) {
  const std::string device = attach("disk.img");
  const std::string directory = mount(device);
  expect_failure(e2qcow({"dump", device, "image.qcow2"}),
                 {device + ": is mounted read-write on " + directory, "remount,ro", "--force"}, 4);
  EXPECT_FALSE(fs::exists(path("image.qcow2")));
}

TEST_F(DumpOfDevice, APartitionOfItIsRefusedWhileItIsMountedReadWrite) {
  write_file(path("disk"), std::string(48 << 20, '\0'));
  output_of({"sh", "-c", "echo 2048, | sfdisk -q disk"});
  output_of({"dd", "if=disk.img", "of=disk", "bs=1M", "seek=1", "conv=notrunc", "status=none"});
  const std::string device = attach("disk");
  const std::string sectors = std::to_string(fs::file_size(path("disk.img")) / 512);
  if (const auto why = add_partition(device, "2048", sectors); !why.empty()) GTEST_SKIP() << why;
  const std::string directory = mount(device + "p1");
  for (const Words& where : {Words{"--partition=1"}, Words{"--offset=1M"}})
    expect_failure(e2qcow({"dump", "--force", where[0], device, "image.qcow2"}),
                   {device + ": is mounted read-write on " + directory + " as " + device + "p1, which alone"},
                   4);
}

TEST_F(DumpOfDevice, ContinuesIfItIsMountedWhenForced) {
  const std::string device = attach("disk.img");
  mount(device);
  const Outcome dump = e2qcow({"dump", "--force", device, "image.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  EXPECT_NE(dump.err.find(device + ": is mounted read-write on "), std::string::npos) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  EXPECT_NE(output_of({E2QCOW_PROGRAM, "info", "image.qcow2"}).find("captured:      while it was mounted"),
            std::string::npos);
}

// Another file or device with the same bytes has a cache of its own.
TEST_F(DumpOfDevice, IsRefusedEvenIfForcedWhereItIsNotCurrent) {
  const std::string device = attach("disk.img");
  const std::string directory = mount(device);
  expect_failure(e2qcow({"dump", "--force", "disk.img", "image.qcow2"}),
                 {"disk.img: is mounted read-write on " + directory + " as " + device + ", which alone"}, 4);
}

TEST_F(DumpOfDevice, MayBeNamedByWhereItIsMounted) {
  const std::string device = attach("disk.img");
  fs::create_directory(path("a place"));
  fs::create_directory_symlink("a place", path("link"));
  output_of({"mount", "-o", "ro", device, "a place"});
  output_of({E2QCOW_PROGRAM, "dump", "-q", device, "image-of-the-device.qcow2"});
  for (const char* place : {"a place", "link", "a place/"}) {
    const Outcome dump = e2qcow({"dump", place, "image.qcow2"});
    EXPECT_EQ(dump.status, 0) << dump;
    expect_same_bytes("image.qcow2", "image-of-the-device.qcow2");
  }
  output_of({"mount", "-o", "remount,rw", "a place"});
  expect_failure(e2qcow({"dump", "a place", "image.qcow2"}), {device, "is mounted read-write on", "a place"},
                 4);
  expect_failure(e2qcow({"dump", "a place/lost+found", "image.qcow2"}),
                 {"a place/lost+found: is a directory, and no file system is mounted on it"});
  expect_failure(e2qcow({"measure", "/proc"}), {"/proc: proc is mounted on it, which is no block device"});
  output_of({"umount", "a place"});
}

// What a mounted file system writes to files does not go through the device's cache. And where a page of that
// cache holds several blocks, of which the file system uses one itself, the kernel drops none of them.
class DumpOfMountedDevice : public DumpOfDevice {
 protected:
  // A file on `device` has new contents, zeros; the device's cache has the old ones. Ends mounted read-only.
  void change_a_file_under_the_cache(const std::string& device, const std::string& directory) const {
    write_file(directory + "/file", std::string(kSize, 'a'));
    output_of({"sync"});
    output_of({"dd", "if=" + device, "of=/dev/null", "bs=1M", "status=none"});
    output_of({"dd", "if=/dev/zero", "of=" + directory + "/file", "bs=1M", "count=4", "conv=notrunc,fsync",
               "status=none"});
    output_of({"mount", "-o", "remount,ro", directory});
  }
  std::string attach_new(const std::string& block_size) {
    const std::string name = block_size + ".img";
    write_file(path(name), std::string(32 << 20, '\0'));
    output_of({"mke2fs", "-q", "-t", "ext4", "-b", block_size, name});
    return attach(name);
  }
  static constexpr std::size_t kSize = 4 << 20;
};

TEST_F(DumpOfMountedDevice, HasTheContentsOfFilesAsTheyAreAfterASync) {
  for (const char* block_size : {"1024", "2048", "4096"}) {
    SCOPED_TRACE(block_size);
    const std::string device = attach_new(block_size);
    const std::string directory = mount(device);
    change_a_file_under_the_cache(device, directory);
    const Outcome dump = e2qcow({"dump", "--all", "--verify", device, "image.qcow2"});
    EXPECT_EQ(dump.status, 0) << dump;
    output_of({E2QCOW_PROGRAM, "restore", "-q", "image.qcow2", "restored.raw"});
    EXPECT_TRUE(output_of({"debugfs", "-R", "cat /file", "restored.raw"}) == std::string(kSize, '\0'));
    const Outcome compare = e2qcow({"compare", "image.qcow2", device});
    EXPECT_EQ(compare.status, 0) << compare;
  }
}

TEST_F(DumpOfMountedDevice, HasTheContentsOfFilesAsTheyAreWhileItIsFrozen) {
  const std::string device = attach_new("1024");
  const std::string directory = mount(device);
  change_a_file_under_the_cache(device, directory);
  output_of({"mount", "-o", "remount,rw", directory});
  output_of({"fsfreeze", "-f", directory});
  const Outcome dump = e2qcow({"dump", "--all", "--force", device, "image.qcow2"});
  output_of({"fsfreeze", "-u", directory});
  EXPECT_EQ(dump.status, 0) << dump;
  output_of({E2QCOW_PROGRAM, "restore", "-q", "image.qcow2", "restored.raw"});
  EXPECT_TRUE(output_of({"debugfs", "-R", "cat /file", "restored.raw"}) == std::string(kSize, '\0'));
}

// As in the chroot of a rescue system.
TEST_F(DumpOfDevice, WithoutProcSaysWhatIsMissing) {
#ifdef E2QCOW_SANITIZED
  GTEST_SKIP() << "this build lacks a program that starts without /proc: its sanitizer needs that";
#endif
  keep_mounts_alone();
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "image.qcow2"}).status, 0);
  const auto without_proc = [&](const std::string& words) {
    return run({"unshare", "-m", "sh", "-c", "umount -l /proc; \"$0\" " + words, E2QCOW_PROGRAM});
  };
  for (const char* words : {"dump disk.img other.qcow2", "measure disk.img", "exec -- dumpe2fs image.qcow2"})
    expect_failure(without_proc(words), {"/proc", "mount -t proc proc /proc"});
  const Outcome forced = without_proc("dump -q --force disk.img other.qcow2");
  EXPECT_EQ(forced.status, 0) << forced;
  EXPECT_NE(forced.err.find("cannot determine whether it is mounted"), std::string::npos) << forced;
  EXPECT_EQ(without_proc("restore -q image.qcow2 new.raw").status, 0);
  write_file(path("old.raw"), "old");
  const Outcome onto_another = without_proc("restore -q image.qcow2 old.raw");
  expect_failure(onto_another, {"old.raw", "mount -t proc proc /proc"});
  EXPECT_EQ(onto_another.err.find("--force"), std::string::npos) << onto_another;
}

TEST_F(DumpOfDevice, IsRefusedWhileItIsMountedInAnotherNamespace) {
  const std::string device = attach("disk.img");
  keep_mounts_alone();
  fs::create_directory(path("elsewhere"));
  const std::string script =
      "mkfifo ready go; unshare -m --propagation private sh -c 'mount \"$1\" elsewhere && echo >ready && "
      "read x <go' - "
      "\"$0\" & read x <ready; \"$1\" dump \"$0\" image.qcow2; status=$?; echo >go; wait; exit $status";
  const Outcome outcome = run({"sh", "-c", script, device, E2QCOW_PROGRAM});
  EXPECT_EQ(outcome.status, 4) << outcome;
  EXPECT_NE(outcome.err.find(device + ": is mounted read-write in another mount namespace"),
            std::string::npos)
      << outcome;
}

// The superblock of a RAID or the hashes of dm-verity may be there.
TEST_F(DumpOfDevice, LeavesAloneWhatIsBehindTheFileSystem) {
  const std::uint64_t size = fs::file_size(path("disk.img"));
  const std::string tail(1 << 20, 't');
  {
    std::ofstream file(path("disk.img"), std::ios::app | std::ios::binary);
    file << tail;
  }
  const std::string device = attach("disk.img");
  const Outcome dump = e2qcow({"dump", "--all", device, "image.qcow2"});
  EXPECT_NE(dump.err.find("the last 1048576 bytes are after the file system"), std::string::npos) << dump;
  const Outcome restored = e2qcow({"restore", "image.qcow2", device});
  EXPECT_EQ(restored.status, 0) << restored;
  EXPECT_NE(restored.err.find("are left as they are"), std::string::npos) << restored;
  EXPECT_TRUE(read_file(path("disk.img")).substr(size) == tail);
  EXPECT_NE(output_of({E2QCOW_PROGRAM, "info", "image.qcow2"}).find("ends at:       " + std::to_string(size)),
            std::string::npos);
}

TEST_F(DumpOfDevice, NeedsNoForceWhileItIsMountedReadOnly) {
  const std::string device = attach("disk.img");
  mount(device, {"-o", "ro,noload"});
  const Outcome dump = e2qcow({"dump", "--all", device, "image.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_blocks_in_use("ours.raw");
}

TEST_F(DumpOfDevice, IsNotWrittenOntoItselfByAnotherName) {
  const std::string before = read_file(path("disk.img"));
  const std::string device = attach("disk.img");
  const std::string other = attach("disk.img");
  for (const auto& [source, target] : {std::pair{std::string("disk.img"), device}, std::pair{device, other},
                                       std::pair{device, std::string("disk.img")}})
    expect_failure(e2qcow({"dump", source, target}), {target + ": would overwrite the input " + source});
  EXPECT_TRUE(read_file(path("disk.img")) == before);
}

TEST_F(DumpOfDevice, IsNotWrittenOntoItselfAsAPartition) {
  const std::string device = attach("disk.img");
  if (const auto why = add_partition(device, "0", "1000"); !why.empty()) GTEST_SKIP() << why;
  const std::string before = read_file(path("disk.img"));
  for (const auto& [source, target] : {std::pair{device, device + "p1"}, std::pair{device + "p1", device}})
    expect_failure(e2qcow({"dump", source, target}), {target + ": would overwrite the input " + source});
  EXPECT_TRUE(read_file(path("disk.img")) == before);
}

TEST_F(DumpOfDevice, MayBeWrittenToAnotherPartitionOfTheDisk) {
  write_file(path("disk"), std::string(80 << 20, '\0'));
  output_of({"sh", "-c", "printf '2048,65536\n81920,40960\n' | sfdisk -q disk"});
  output_of({"dd", "if=disk.img", "of=disk", "bs=1M", "seek=1", "conv=notrunc", "status=none"});
  output_of({"mke2fs", "-q", "-E", "offset=41943040", "disk", "20m"});
  const std::string device = attach("disk");
  if (const auto why = add_partition(device, "81920", "40960"); !why.empty()) GTEST_SKIP() << why;
  const std::string image = mount(device + "p1") + "/image.qcow2";
  const Outcome dump = e2qcow({"dump", "--all", "--partition=1", device, image});
  EXPECT_EQ(dump.status, 0) << dump;
  expect_restored_as_by_qemu(image, "ours.raw");
  expect_same_blocks_in_use("ours.raw");
  // From an offset on, the source is all that follows: the mounted partition, too.
  expect_failure(e2qcow({"dump", "--offset=1M", "--force", device, image}),
                 {device + ": is mounted read-write"}, 4);
}

TEST_F(DumpOfDevice, IsRefusedWhileAnotherDeviceOfItsFileIsMounted) {
  const std::string device = attach("disk.img");
  mount(attach("disk.img"));
  expect_failure(e2qcow({"dump", device, "image.qcow2"}), {device + ": is mounted read-write on "}, 4);
}

TEST_F(DumpOfDevice, IsNotWrittenOntoItselfByALink) {
  const std::string device = attach("disk.img");
  const std::string directory = mount(device);
  fs::create_symlink(directory + "/image.qcow2", path("link"));
  const Outcome outcome = e2qcow({"dump", "--force", device, "link"});
  EXPECT_EQ(outcome.status, 1) << outcome;
  EXPECT_NE(outcome.err.find("link: would be stored on the input " + device + "; write it to another disk"),
            std::string::npos)
      << outcome;
}

// The bitmaps and inodes of the last writes are only in the journal.
TEST_F(DumpOfDevice, HoldsTheBlocksOfAJournalThatMustBeReplayed) {
  const std::string directory = mount(attach("disk.img"));
  write_file(directory + "/new", std::string(3 << 20, 'n'));
  output_of({"sync", directory + "/new"});
  copy_disk(path("disk.img"), path("crashed.img"));
  const Outcome dump = e2qcow({"dump", "--all", "crashed.img", "image.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  // Not every block, but those in use in either state.
  EXPECT_LT(fs::file_size(path("image.qcow2")), 8 << 20);
  EXPECT_EQ(e2qcow({"restore", "image.qcow2", "restored.img"}).status, 0);
  for (const char* disk : {"crashed.img", "restored.img"}) {
    EXPECT_EQ(run({"e2fsck", "-fy", disk}).status & ~1, 0);
    EXPECT_TRUE(output_of({"debugfs", "-R", "cat /new", disk}) == std::string(3 << 20, 'n')) << disk;
  }
}

TEST_F(DumpOfDevice, IsNotWrittenOntoItself) {
  const std::string device = attach("disk.img");
  const std::string directory = mount(device);
  const Words before = names_in(directory);
  for (const auto& [target, text] : {std::pair{directory + "/image.qcow2", ": would be stored on"},
                                     std::pair{device, ": would overwrite the input "}}) {
    const Outcome outcome = e2qcow({"dump", "--force", device, target});
    EXPECT_EQ(outcome.status, 1) << outcome;
    EXPECT_NE(outcome.err.find(target + text), std::string::npos) << outcome;
  }
  EXPECT_EQ(names_in(directory), before);
}

TEST_F(DumpOfDevice, LeavesNothingWhenTheDiskIsFull) {
  const std::string small = mount_small_tmpfs("256k");
  Words words{"dump", "--all", "disk.img", small + "/image.qcow2"};
  for (const std::string& option : uncompressed()) words.push_back(option);
  expect_failure(e2qcow(words), {small + "/image.qcow2: ", "No space left on device"}, 4);
  EXPECT_EQ(names_in(small), Words{});
  write_file(small + "/image.qcow2", "the older one");
  expect_failure(e2qcow(words), {small + "/image.qcow2: ", "No space left on device"}, 4);
  EXPECT_EQ(read_file(small + "/image.qcow2"), "the older one");
}

TEST_F(DumpOfDevice, WritesNothingIfTheMapOfNamesCannotBe) {
  const std::string full = mount_small_tmpfs("8k");
  write_file(full + "/filler", std::string(8 << 10, 'x'));
  write_file(path("image"), "the older one");
  expect_failure(e2qcow({"dump", "--anonymize", "--name-map", full + "/names", "disk.img", "image"}),
                 {full + "/names: ", "No space left on device"}, 4);
  EXPECT_EQ(read_file(path("image")), "the older one");
  EXPECT_EQ(names_in(full), Words{"filler"});
}

// On a file system that can share blocks between files.
class OnXfs : public BlockDeviceTest {
 protected:
  void SetUp() override {
    BlockDeviceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    require_program("mkfs.xfs");
    if (IsSkipped()) return;
    write_file(path("xfs"), "");
    fs::resize_file(path("xfs"), 512 << 20);
    output_of({"mkfs.xfs", "-q", "xfs"});
    directory_ = mount(attach("xfs"));
    make_file_system({{"-t", "ext4", "-b", "4096"}});
    copy_disk(path("disk.img"), directory_ + "/disk.img");
  }
  std::uint64_t shared_blocks(const std::string& name) const {
    return std::stoull(output_of({"sh", "-c", "filefrag -v " + name + " | grep -c shared || true"}));
  }

  std::string directory_;
};

TEST_F(OnXfs, AnImageSharesBlocksWithItsSourceAndIsTheSameAsElsewhere) {
  for (const char* kind : {"--all", "--force"}) {
    const Words options{"dump", "-q", kind, "--compress=none", "--cluster-size=4k"};
    Words words = options;
    words.insert(words.end(), {directory_ + "/disk.img", directory_ + "/image.qcow2"});
    EXPECT_EQ(e2qcow(words).status, 0);
    EXPECT_GT(shared_blocks(directory_ + "/image.qcow2"), 0);
    words = options;
    words.insert(words.end(), {"disk.img", "image.qcow2"});
    EXPECT_EQ(e2qcow(words).status, 0);
    output_of({"qemu-img", "compare", "image.qcow2", directory_ + "/image.qcow2"});
  }
}

TEST_F(OnXfs, ARestoredDiskSharesBlocksWithItsImage) {
  const std::string image = directory_ + "/image.qcow2";
  EXPECT_EQ(e2qcow({"dump", "--all", "--compress=none", "disk.img", image}).status, 0);
  EXPECT_EQ(e2qcow({"restore", image, directory_ + "/restored"}).status, 0);
  EXPECT_GT(shared_blocks(directory_ + "/restored"), 0);
  expect_restored_as_by_qemu(image, "ours.raw");
  expect_same_bytes("ours.raw", directory_ + "/restored");
}

class WrongBitmap : public FileSystemTest {};

// ext2 has no checksum that would tell.
TEST_F(WrongBitmap, LosesNoContentsOfFiles) {
  make_file_system({{"-t", "ext2", "-b", "1024"}});
  const std::string blocks = output_of(
      {"sh", "-c", "dumpe2fs disk.img 2>/dev/null | sed -n 's/.*Block bitmap at \\([0-9]*\\) .*/\\1/p'"});
  std::istringstream numbers(blocks);
  for (std::uint64_t block = 0; numbers >> block;)
    patch_file(path("disk.img"), block * 1024, std::string(1024, '\0'));
  e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"});
  EXPECT_EQ(e2qcow({"restore", "-q", "image.qcow2", "restored.img"}).status, 0);
  expect_same_files("restored.img");
}

class DumpToDevice : public BlockDeviceTest {
 protected:
  // A device full of what was there before.
  std::string used_device(std::uint64_t size) {
    write_file(path("target.img"), std::string(size, '\xaa'));
    return attach("target.img");
  }
};

TEST_F(DumpToDevice, TheImageBeginsAtTheStartOfTheDevice) {
  const std::string device = used_device(8 << 20);
  EXPECT_EQ(e2qcow({"dump", "--all", "--to-device", "disk.img", device}).status, 0);
  expect_restored_as_by_qemu(device, "ours.raw");
  expect_same_blocks_in_use("ours.raw");
}

// What a user of `e2image -ra` types for a copy.
TEST_F(DumpToDevice, NeedsAnOption) {
  const std::string device = used_device(8 << 20);
  expect_failure(e2qcow({"dump", "--all", "disk.img", device}),
                 {device + ": is a block device", "--to-device"});
  EXPECT_TRUE(read_file(path("target.img")) == std::string(8 << 20, '\xaa'));
}

TEST_F(DumpToDevice, ADeviceThatIsTooSmallIsRefused) {
  Words words{"dump", "--all", "disk.img", used_device(1 << 20), "--to-device"};
  for (const std::string& option : uncompressed()) words.push_back(option);
  expect_failure(e2qcow(words), {words[3] + ": ", "1048576"});
  EXPECT_TRUE(read_file(path("target.img")) == std::string(1 << 20, '\xaa'));
}

TEST_F(DumpToDevice, AMountedDeviceIsRefused) {
  copy_disk(path("disk.img"), path("target.img"));
  const std::string device = attach("target.img");
  mount(device, {"-o", "ro,noload"});
  expect_failure(e2qcow({"dump", "--to-device", "disk.img", device}),
                 {device + ": open for writing: the device is in use"}, 4);
  expect_same_bytes("target.img", "disk.img");
}

TEST_F(DumpToDevice, AHalfWrittenImageIsNone) {
  const std::string device = used_device(8 << 20);
  EXPECT_EQ(e2qcow({"dump", "--all", "--to-device", "disk.img", device}).status, 0);
  expect_failure(e2qcow({"dump", "--all", "--to-device", "disk.img", device}, faulty({"FAULTY_WRITE=3"})),
                 {device + ": write at"}, 4);
  EXPECT_EQ(run({"qemu-img", "info", "-f", "qcow2", device}).status, 1);
}

class RestoreToDevice : public BlockDeviceTest {
 protected:
  static constexpr std::uint64_t kDiskSize = 32 << 20;

  void dump(const Words& options) const {
    Words words{"dump", "disk.img", "image.qcow2"};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_EQ(e2qcow(words).status, 0);
    output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image.qcow2", "by-qemu.raw"});
  }
  // A device full of what was there before.
  std::string used_device(std::uint64_t size) {
    write_file(path("target.img"), std::string(size, '\xaa'));
    return attach("target.img");
  }
  Outcome restore(const std::string& device, Words options = {}, const Words& environment = {}) const {
    options.insert(options.begin(), {"restore", "image.qcow2", device});
    return e2qcow(options, environment);
  }
  std::string on_target() const { return read_file(path("target.img")); }
  void expect_untouched() const { EXPECT_TRUE(on_target() == std::string(on_target().size(), '\xaa')); }
};

TEST_F(RestoreToDevice, TheDeviceMustNotBeMadeOfTheImage) {
  dump({"--all"});
  fs::resize_file(path("image.qcow2"), 64 << 20);
  const std::string before = read_file(path("image.qcow2"));
  const std::string device = attach("image.qcow2");
  expect_failure(restore(device), {device + ": would overwrite the input "});
  expect_failure(run({"sh", "-c", "\"$0\" restore - \"$1\" <image.qcow2", E2QCOW_PROGRAM, device}),
                 {device + ": would overwrite the input "});
  EXPECT_TRUE(read_file(path("image.qcow2")) == before);
}

TEST_F(RestoreToDevice, FitLooksForDataPastTheEndBeforeItWrites) {
  fs::resize_file(path("disk.img"), 64 << 20);
  output_of({"sh", "-c", "echo data | dd of=behind bs=1M seek=60 status=none"});
  write_file(path("with-data-behind"), read_file(path("disk.img")));
  patch_file(path("with-data-behind"), 60 << 20, "data");
  output_of({"qemu-img", "convert", "-f", "raw", "-O", "qcow2", "with-data-behind", "image.qcow2"});
  expect_failure(restore(used_device(40 << 20), {"--fit"}),
                 {"there is data past that, at or after 62914560"});
  expect_untouched();
}

TEST_F(RestoreToDevice, NothingOldShows) {
  dump({"--all"});
  const Outcome outcome = restore(used_device(kDiskSize));
  EXPECT_EQ(outcome.status, 0) << outcome;
  expect_same_bytes("target.img", "by-qemu.raw");
  expect_same_files("target.img");
}

TEST_F(RestoreToDevice, NothingOldShowsIfTheRestIsDiscarded) {
  dump({"--all"});
  const Outcome outcome = restore(used_device(kDiskSize), {"--discard"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  expect_same_bytes("target.img", "by-qemu.raw");
}

TEST_F(RestoreToDevice, DataPastTheDiskIsKept) {
  dump({"--all"});
  EXPECT_EQ(restore(used_device(kDiskSize + 8192)).status, 0);
  const std::string target = on_target();
  EXPECT_TRUE(target.substr(0, kDiskSize) == read_file(path("by-qemu.raw")));
  EXPECT_TRUE(target.substr(kDiskSize) == std::string(8192, '\xaa'));
}

TEST_F(RestoreToDevice, AMetadataImageIsRefusedUnlessAllowed) {
  dump({});
  const std::string device = used_device(kDiskSize);
  expect_failure(restore(device), {"image.qcow2: holds only metadata", device, "--allow-metadata"});
  expect_untouched();
  EXPECT_EQ(restore(device, {"--allow-metadata"}).status, 0);
  expect_same_bytes("target.img", "by-qemu.raw");
}

TEST_F(RestoreToDevice, ASmallDeviceIsRefused) {
  dump({"--all"});
  const std::string device = used_device(kDiskSize - 512);
  expect_failure(restore(device), {device + ": too small", "33553920", "33554432", "--fit"});
  expect_failure(restore(device, {"--fit"}), {device + ": too small", "33554432"});
  expect_untouched();
}

TEST_F(RestoreToDevice, FitTakesADeviceThatHoldsTheFileSystem) {
  fs::resize_file(path("disk.img"), kDiskSize + (8 << 20));
  dump({"--all"});
  const std::string device = used_device(kDiskSize + 4096);
  expect_failure(restore(device), {device + ": too small"});
  EXPECT_EQ(restore(device, {"--fit"}).status, 0);
  fs::resize_file(path("by-qemu.raw"), kDiskSize);
  EXPECT_TRUE(read_file(path("target.img")) == read_file(path("by-qemu.raw")) + std::string(4096, '\xaa'));
}

// The loop device would keep the old one, without a name.
TEST_F(RestoreToDevice, AFileThatALoopDeviceShowsIsNotReplaced) {
  dump({"--all"});
  copy_disk(path("disk.img"), path("target.img"));
  const std::string device = attach("target.img");
  expect_failure(restore("target.img"), {"target.img: is shown by " + device}, 4);
  expect_failure(e2qcow({"dump", "disk.img", "target.img"}), {"target.img: is shown by " + device}, 4);
  EXPECT_EQ(restore(device).status, 0);
}

TEST_F(DumpOfDevice, TextsReplaceNeitherDevicesNorFilesThatAreShown) {
  write_file(path("other"), std::string(1 << 20, '\x55'));
  const std::string device = attach("other");
  for (const std::string& output : {device, std::string("other")})
    for (const Words& words : {Words{"dump", "disk.img", "image.qcow2", "--map-out"},
                               Words{"dump", "disk.img", "image.qcow2", "--report"},
                               Words{"measure", "disk.img", "--domain-map"}}) {
      Words command = words;
      command.push_back(output);
      expect_failure(e2qcow(command), {output + ": is "}, output == device ? 1 : 4);
    }
  EXPECT_TRUE(read_file(path("other")) == std::string(1 << 20, '\x55'));
}

// Somebody meant a partition of it.
TEST_F(RestoreToDevice, APartitionTableIsNotOverwrittenUnasked) {
  dump({"--all"});
  write_file(path("target.img"), std::string(48 << 20, '\0'));
  output_of({"sh", "-c", "echo 2048,8192 | sfdisk -q target.img"});
  output_of({"mke2fs", "-q", "-F", "-L", "mine", "-E", "offset=1048576", "target.img", "4m"});
  const std::string device = attach("target.img");
  expect_failure(restore(device), {device + ": holds a partition table (dos)", "ext2 labelled 'mine'",
                                   "--replace-partitions"});
  EXPECT_EQ(restore(device, {"--replace-partitions"}).status, 0);
}

// `qemu-img convert` does not keep our record.
TEST_F(RestoreToDevice, AMetadataOnlyImageWithoutItsRecordIsRefused) {
  output_of({"dd", "if=/dev/urandom", "of=random", "bs=1M", "count=4", "status=none"});
  output_of({"debugfs", "-w", "-R", "write random /random", "disk.img"});
  for (const auto& [option, status] : {std::pair{"--retries=1", 1}, std::pair{"--all", 0}}) {
    output_of({E2QCOW_PROGRAM, "dump", "-q", option, "disk.img", "ours.qcow2"});
    output_of({"qemu-img", "convert", "-c", "-O", "qcow2", "ours.qcow2", "image.qcow2"});
    const Outcome outcome = restore(used_device(kDiskSize));
    EXPECT_EQ(outcome.status, status) << option << outcome;
    EXPECT_EQ(outcome.err.find("--allow-metadata") != std::string::npos, status == 1) << outcome;
  }
}

// Nor has an overlay of QEMU's own a record; but what is under it has.
TEST_F(RestoreToDevice, WhatABackingFileSaysOfItselfCounts) {
  write_file(path("disk.img"), read_file(path("disk.img")) + std::string(1 << 20, '\xbb'));
  for (const auto& [option, status] : {std::pair{"--retries=1", 1}, std::pair{"--all", 0}}) {
    output_of({E2QCOW_PROGRAM, "dump", "-q", option, "disk.img", "ours.qcow2"});
    output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "ours.qcow2", "-F", "qcow2", "image.qcow2"});
    const Outcome outcome = restore(used_device(kDiskSize + (1 << 20)), {"--backing=ours.qcow2"});
    EXPECT_EQ(outcome.status, status) << option << outcome;
    EXPECT_EQ(outcome.err.find("--allow-metadata") != std::string::npos, status == 1) << outcome;
    EXPECT_TRUE(on_target().substr(kDiskSize) == std::string(1 << 20, '\xaa')) << option;
  }
}

TEST_F(RestoreToDevice, AnImageWithoutARecordOfWhichNothingIsKnownIsRefused) {
  const auto expect_refused = [&](const Words& options) {
    Words dump{E2QCOW_PROGRAM, "dump", "-q", "disk.img", "ours.qcow2"};
    dump.insert(dump.end(), options.begin(), options.end());
    run(dump);
    output_of({"qemu-img", "convert", "-c", "-O", "qcow2", "ours.qcow2", "image.qcow2"});
    expect_failure(restore(used_device(kDiskSize)), {"image.qcow2: ", "--allow-metadata"});
    expect_untouched();
  };
  output_of({"mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-J", "size=8", "disk.img"});
  output_of({"dd", "if=/dev/urandom", "of=random", "bs=1M", "count=4", "status=none"});
  output_of({"debugfs", "-w", "-R", "write random /random", "disk.img"});
  // More is in the journal than in files.
  const std::string blocks = output_of({"debugfs", "-R", "blocks <8>", "disk.img"});
  std::istringstream numbers(blocks);
  std::string superblock;
  numbers >> superblock;
  for (std::uint64_t block = 0; numbers >> block;)
    patch_file(path("disk.img"), block * 1024, read_file(path("random")).substr(0, 1024));
  output_of({"e2fsck", "-fn", "disk.img"});
  expect_refused({});
  // Nobody knows how much is in files.
  patch_file(path("disk.img"), 1024, std::string(1024, '\0'));
  expect_refused({});
  write_file(path("disk.img"), std::string(kDiskSize, '\x55'));
  expect_refused({"--force"});
}

TEST_F(RestoreToDevice, AMountedDeviceIsRefused) {
  dump({"--all"});
  copy_disk(path("disk.img"), path("target.img"));
  const std::string device = attach("target.img");
  const std::string directory = mount(device, {"-o", "ro"});
  expect_failure(restore(device), {device + ": is in use (mounted on " + directory + ")"}, 4);
  expect_same_bytes("target.img", "disk.img");
}

TEST_F(RestoreToDevice, ADeviceInUseIsRefused) {
  dump({"--all"});
  const std::string device = used_device(kDiskSize);
  const int holder = ::open(device.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC);
  expect_failure(restore(device), {device + ": open for writing: the device is in use"}, 4);
  ::close(holder);
  expect_untouched();
}

TEST_F(RestoreToDevice, AFileThatIsMountedIsRefused) {
  dump({"--all"});
  copy_disk(path("disk.img"), path("target.img"));
  mount(attach("target.img"), {"-o", "ro"});
  expect_failure(restore("target.img"), {"target.img: is in use"}, 4);
  expect_same_bytes("target.img", "disk.img");
}

TEST_F(RestoreToDevice, AHalfRestoredDeviceHasNoSuperblock) {
  dump({"--all"});
  copy_disk(path("disk.img"), path("target.img"));
  const std::string device = attach("target.img");
  expect_failure(restore(device, {}, faulty({"FAULTY_WRITE=4"})), {device + ": write at", "No space left"},
                 4);
  EXPECT_TRUE(on_target().substr(0, 65536) == std::string(65536, '\0'));
  expect_failure(e2qcow({"restore", "image.qcow2", device}, faulty({"FAULTY_SYNC=1"})), {device + ": sync"});
}

TEST_F(RestoreToDevice, ADamagedImageLeavesTheDeviceAsItIs) {
  Words options = uncompressed();
  options.insert(options.end(), {"--digest", "none"});
  dump(options);
  fs::resize_file(path("image.qcow2"), fs::file_size(path("image.qcow2")) - 512);
  const std::string device = used_device(kDiskSize);
  expect_failure(restore(device, {"--allow-metadata"}), {"image.qcow2: "});
  expect_untouched();
}

TEST_F(RestoreToDevice, AReadOnlyDeviceIsAnError) {
  dump({"--all"});
  write_file(path("target.img"), std::string(kDiskSize, '\xaa'));
  const std::string device = attach("target.img", {"--read-only"});
  expect_failure(restore(device), {device + ": "});
  expect_untouched();
}

TEST_F(RestoreToDevice, LeavesNothingWhenTheDiskIsFull) {
  dump({"--all"});
  const std::string small = mount_small_tmpfs("256k");
  expect_failure(e2qcow({"restore", "image.qcow2", small + "/disk.raw"}),
                 {small + "/disk.raw: ", "No space left on device"}, 4);
  EXPECT_EQ(names_in(small), Words{});
}

}  // namespace
}  // namespace e2qcow::test
