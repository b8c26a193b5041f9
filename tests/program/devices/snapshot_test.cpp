// SPDX-License-Identifier: GPL-2.0-or-later
// `dump --snapshot`: of a file that can be cloned, and of a logical volume. There is no device mapper on
// every machine, so the tools of LVM are stand-ins, which make and remove copies of files.
#include "tests/program/support/block_devices.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class SnapshotDump : public BlockDeviceTest {
 protected:
  void TearDown() override {
    BlockDeviceTest::TearDown();
    if (!outer_.empty()) output_of({"umount", outer_});  // when nothing in it is attached any more
  }
  // A mounted file system in a file of this directory; where it is mounted.
  std::string mount_new_disk(const std::string& directory) {
    const std::string disk = directory + "/inner.img";
    output_of({"truncate", "-s", "32M", disk});
    output_of({"mke2fs", "-q", "-F", "-t", "ext4", disk});
    device_ = attach(disk);
    std::string place = mount(device_);
    output_of(
        {"sh", "-c", "for i in $(seq 200); do mkdir $0/$i; echo $i > $0/$i/file; done; sync -f $0", place});
    return place;
  }
  enum class Contents { included, left_out };
  void expect_snapshot(const std::string& image, Contents contents = Contents::included) const {
    EXPECT_NE(output_of({E2QCOW_PROGRAM, "info", image}).find("captured:      from a snapshot"),
              std::string::npos);
    output_of({E2QCOW_PROGRAM, "restore", "-q", image, "restored"});
    const Outcome checked = run({"e2fsck", "-fn", "restored"});
    EXPECT_EQ(checked.status, 0) << checked;
    if (contents == Contents::left_out) return;
    EXPECT_EQ(output_of({"debugfs", "-R", "cat /77/file", "restored"}), "77\n");
  }

  std::string device_;
  std::string outer_;  // where the file system is mounted that has the file; empty: the test's directory
};

TEST_F(SnapshotDump, OfAFileThatCanBeCloned) {
  require_program("mkfs.xfs");
  output_of({"truncate", "-s", "400M", "xfs"});
  output_of({"mkfs.xfs", "-q", "xfs"});
  outer_ = path("outer");
  fs::create_directory(outer_);
  output_of({"mount", "-o", "loop", "xfs", outer_});
  const std::string place = mount_new_disk(outer_);
  const Outcome dump = e2qcow({"dump", "--snapshot", "--all", place, "image.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  expect_snapshot("image.qcow2");
  output_of({"touch", place + "/writable"});
  EXPECT_EQ(names_in(outer_), Words{"inner.img"});
}

class VolumeDump : public SnapshotDump {
 protected:
  void SetUp() override {
    SnapshotDump::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    place_ = mount_new_disk(path("."));
    fs::create_directory(path("group"));
    fs::create_symlink(device_, path("group/volume"));
    fs::create_directory(path("bin"));
    stand_in("lvcreate",
             "while [ $# -gt 1 ]; do [ $1 != --name ] || name=$2; shift; done\n"
             "fsfreeze -f " +
                 place_ +
                 " && cp --sparse=always inner.img $(dirname $1)/$name; status=$?\n"
                 "fsfreeze -u " +
                 place_ + "\necho created >>log\nexit $status\n");
    stand_in("lvremove", "for last; do :; done\nrm $last && echo removed >>log\n");
  }
  void stand_in(const std::string& name, const std::string& script) const {
    write_file(path("bin/" + name), "#!/bin/sh\n" + script);
    fs::permissions(path("bin/" + name), fs::perms::owner_all);
  }
  Outcome dump_volume(const std::string& words) const {
    return run({"sh", "-c", "PATH=$PWD/bin:$PATH exec \"$0\" dump --snapshot " + words, E2QCOW_PROGRAM});
  }

  std::string place_;
};

TEST_F(VolumeDump, RemovesTheSnapshot) {
  const Outcome dump = dump_volume("group/volume image.qcow2");
  EXPECT_EQ(dump.status, 0) << dump;
  expect_snapshot("image.qcow2", Contents::left_out);
  EXPECT_EQ(read_file(path("log")), "created\nremoved\n");
  EXPECT_EQ(names_in(path("group")), Words{"volume"});
}

TEST_F(VolumeDump, RemovesTheSnapshotAfterAnError) {
  expect_failure(dump_volume("group/volume no/image.qcow2"), {"no/image.qcow2"});
  EXPECT_EQ(read_file(path("log")), "created\nremoved\n");
}

TEST_F(VolumeDump, NamesOneThatIsLeftOver) {
  write_file(path("group/e2qcow_1"), "");
  const Outcome dump = dump_volume("group/volume image.qcow2");
  EXPECT_NE(dump.err.find("group/e2qcow_1: is a snapshot that an earlier dump has left"), std::string::npos)
      << dump;
}

TEST_F(VolumeDump, SaysWhyThereIsNoSnapshot) {
  stand_in("lvcreate", "echo no space >&2; exit 5\n");
  const Outcome dump = dump_volume("group/volume image.qcow2");
  EXPECT_EQ(dump.status, 1);
  for (const char* text : {"no space\n", "no snapshot can be made"})
    EXPECT_NE(dump.err.find(text), std::string::npos) << dump;
}

TEST_F(SnapshotDump, NeedsAMountedDevice) {
  make_file_system();
  expect_failure(e2qcow({"dump", "--snapshot", "disk.img", "image.qcow2"}), {"disk.img: is not mounted"});
}

}  // namespace
}  // namespace e2qcow::test
