// SPDX-License-Identifier: GPL-2.0-or-later
// File systems with a journal on another device: e2fsck -j is the judge.
#include <nlohmann/json.hpp>

#include "tests/program/support/block_devices.h"

namespace e2qcow::test {
namespace {

class ExternalJournal : public BlockDeviceTest {
 protected:
  void SetUp() override {
    BlockDeviceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    output_of({"truncate", "-s", "16M", "journal"});
    output_of({"truncate", "-s", "64M", "disk"});
    journal_ = attach("journal");
    device_ = attach("disk");
    output_of({"mke2fs", "-q", "-O", "journal_dev", "-b", "1024", journal_});
    output_of({"mke2fs", "-q", "-t", "ext4", "-b", "1024", "-J", "device=" + journal_, device_});
    const std::string directory = mount(device_, {"-o", "data=journal"});
    // The copies are as after a power failure: what was done is in the journal.
    output_of({"sh", "-c",
               "for i in $(seq 300); do mkdir $0/$i; echo contents > $0/$i/file; done; sync -f $0; "
               "cp journal j.img; cp disk f.img",
               directory});
  }

  // Status and text of e2fsck that replays, for copies of the two.
  Outcome checked(const std::string& disk, const std::string& journal) const {
    copy_disk(path(disk), path("checked"));
    copy_disk(path(journal), path("checked.journal"));
    return run({"e2fsck", "-fy", "-j", "checked.journal", "checked"});
  }
  nlohmann::json info(const std::string& image) const {
    return nlohmann::json::parse(output_of({E2QCOW_PROGRAM, "info", "--json", image}));
  }

  std::string device_;   // mounted
  std::string journal_;  // its device
};

TEST_F(ExternalJournal, IsDumpedAndRestoredWithItsFileSystem) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "fs.qcow2"});
  EXPECT_EQ(info("fs.qcow2")["dump"]["pair"], info("fs.journal.qcow2")["dump"]["pair"]);
  output_of({E2QCOW_PROGRAM, "restore", "-q", "--journal-image=fs.journal.qcow2", "--journal=rj.img",
             "fs.qcow2", "rf.img"});
  const Outcome expected = checked("f.img", "j.img");
  EXPECT_EQ(expected.status, 1) << expected;  // replayed
  EXPECT_EQ(checked("rf.img", "rj.img"), expected);
  const Outcome through =
      run({E2QCOW_PROGRAM, "exec", "--", "e2fsck", "-fy", "-j", "fs.journal.qcow2", "fs.qcow2"});
  EXPECT_EQ(through.status, expected.status) << through;
}

// Not every block, as nobody knows without it what is free.
TEST_F(ExternalJournal, TellsWhatIsInUse) {
  const auto selected = [&](const Words& options) {
    Words words{E2QCOW_PROGRAM, "measure", "--json", "--all", "f.img"};
    words.insert(words.end(), options.begin(), options.end());
    return nlohmann::json::parse(output_of(words))["selected-bytes"].get<std::uint64_t>();
  };
  EXPECT_LT(selected({"--journal=j.img"}), 32U << 20);
}

TEST_F(ExternalJournal, IsFoundByItsUuid) {
  const Outcome dump = e2qcow({"dump", "f.img", "fs.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  EXPECT_NE(dump.err.find("f.img: its journal is on " + journal_), std::string::npos) << dump;
  EXPECT_TRUE(std::filesystem::exists(path("fs.journal.qcow2")));
}

// Both are read before the thaw, however long compressing takes.
TEST_F(ExternalJournal, IsFrozenWithItsFileSystem) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--freeze", "--compress=zlib", device_, "fs.qcow2"});
  for (const char* image : {"fs.qcow2", "fs.journal.qcow2"})
    EXPECT_EQ(info(image)["dump"]["capture"], "frozen") << image;
  output_of({E2QCOW_PROGRAM, "restore", "-q", "--journal-image=fs.journal.qcow2", "--journal=rj.img",
             "fs.qcow2", "rf.img"});
  const Outcome checked = run({"e2fsck", "-fn", "-j", "rj.img", "rf.img"});
  EXPECT_EQ(checked.status, 0) << checked;
  expect_failure(e2qcow({"dump", "--freeze", "--verify", device_, "other.qcow2"}),
                 {"its journal is on another device"});
  expect_failure(e2qcow({"dump", "--anonymize", "--journal-image=j", device_, "other.qcow2"}),
                 {"--journal-image"}, 2);
}

TEST_F(ExternalJournal, OfAnotherFileSystemIsRefused) {
  output_of({"mke2fs", "-q", "-F", "-O", "journal_dev", "-b", "1024", "other", "4M"});
  expect_failure(e2qcow({"dump", "--journal=other", "f.img", "fs.qcow2"}),
                 {"other: is not the journal of f.img"});
  make_file_system();
  expect_failure(e2qcow({"dump", "--journal=j.img", "disk.img", "fs.qcow2"}),
                 {"disk.img: has no journal on another device"});
  EXPECT_FALSE(std::filesystem::exists(path("fs.qcow2")));
}

TEST_F(ExternalJournal, IsNotRestoredWithAnImageOfAnotherDump) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "fs.qcow2"});
  EXPECT_EQ(run({"e2fsck", "-fy", "-j", "j.img", "f.img"}).status, 1);
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "later.qcow2"});
  expect_failure(
      e2qcow({"restore", "--journal-image=later.journal.qcow2", "--journal=rj.img", "fs.qcow2", "rf.img"}),
      {"later.journal.qcow2: was not dumped together with fs.qcow2"});
  for (const char* name : {"rj.img", "rf.img"}) EXPECT_FALSE(std::filesystem::exists(path(name))) << name;
}

}  // namespace
}  // namespace e2qcow::test
