// SPDX-License-Identifier: GPL-2.0-or-later
// File systems with a journal on another device: e2fsck -j is the judge.
#include <nlohmann/json.hpp>

#include "tests/program/support/block_devices.h"

namespace e2qcow::test {
namespace {

struct Kind {
  std::string name;
  Words mke2fs{};       // options
  std::string mount{};  // the same

  friend std::ostream& operator<<(std::ostream& stream, const Kind& kind) { return stream << kind.name; }
};

// f.img and j.img are copies as after a power failure: what was done last is in the journal.
class ExternalJournal : public BlockDeviceTest {
 protected:
  void SetUp() override {
    BlockDeviceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make(kind());
  }
  virtual Kind kind() const { return {"Default", {"-b", "1024"}}; }
  void make(const Kind& kind) {
    output_of({"truncate", "-s", "16M", "journal"});
    output_of({"truncate", "-s", "64M", "disk"});
    journal_ = attach("journal");
    device_ = attach("disk");
    output_of({"mke2fs", "-q", "-O", "journal_dev", kind.mke2fs[0], kind.mke2fs[1], journal_});
    Words words{"mke2fs", "-q", "-t", "ext4", "-J", "device=" + journal_};
    words.insert(words.end(), kind.mke2fs.begin(), kind.mke2fs.end());
    words.push_back(device_);
    output_of(words);
    const std::string options = kind.mount.empty() ? "data=journal" : "data=journal," + kind.mount;
    const std::string directory = mount(device_, {"-o", options});
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
  // The same for the disks in two images, as if they had these names.
  Outcome checked_in_images(const std::string& disk, const std::string& journal) const {
    std::filesystem::rename(path(disk), path("checked"));
    std::filesystem::rename(path(journal), path("checked.journal"));
    return run({E2QCOW_PROGRAM, "exec", "--", "e2fsck", "-fy", "-j", "checked.journal", "checked"});
  }
  std::string image_of(const std::string& disk) const {
    const std::string image = disk + ".qcow2";
    const Outcome dump = run({E2QCOW_PROGRAM, "dump", "-q", "--force", disk, image});
    EXPECT_TRUE(dump.status == 0 || dump.status == 3) << dump;
    return image;
  }
  nlohmann::json info(const std::string& image) const {
    return nlohmann::json::parse(output_of({E2QCOW_PROGRAM, "info", "--json", image}));
  }

  std::string device_;   // mounted
  std::string journal_;  // its device
};

class ExternalJournalOfKind : public ExternalJournal, public testing::WithParamInterface<Kind> {
 protected:
  Kind kind() const override { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(All, ExternalJournalOfKind,
                         testing::Values(Kind{"WithoutChecksums", {"-b", "1024", "-O", "^metadata_csum"}},
                                         Kind{"ChecksumsOfTransactions",
                                              {"-b", "4096", "-O", "^metadata_csum,^64bit"},
                                              "journal_checksum"},
                                         Kind{"ChecksumsOfBlocks",
                                              {"-b", "4096", "-O", "metadata_csum,64bit"}}),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(ExternalJournalOfKind, IsDumpedAndRestoredWithItsFileSystem) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "fs.qcow2"});
  EXPECT_EQ(info("fs.qcow2")["dump"]["pair"], info("fs.journal.qcow2")["dump"]["pair"]);
  output_of({E2QCOW_PROGRAM, "restore", "-q", "--journal-image=fs.journal.qcow2", "--journal=rj.img",
             "fs.qcow2", "rf.img"});
  const Outcome expected = checked("f.img", "j.img");
  EXPECT_EQ(expected.status, 1) << expected;  // replayed
  EXPECT_EQ(checked("rf.img", "rj.img"), expected);
  const Outcome in_images = checked_in_images("fs.qcow2", "fs.journal.qcow2");
  EXPECT_EQ(in_images.out, expected.out);
  EXPECT_EQ(in_images.status, expected.status);
}

// Each tenth block of the log: the checksums of what is in it, or of what says so, are wrong.
TEST_P(ExternalJournalOfKind, IsDumpedThoughItsChecksumsAreWrong) {
  output_of({"sh", "-c",
             "for i in $(seq 10 10 2000); do printf X | dd of=j.img bs=1 seek=$((i * 4096 + 40)) "
             "conv=notrunc status=none; done"});
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "fs.qcow2"});
  output_of({E2QCOW_PROGRAM, "restore", "-q", "--journal-image=fs.journal.qcow2", "--journal=rj.img",
             "fs.qcow2", "rf.img"});
  const Outcome expected = checked("f.img", "j.img");
  EXPECT_EQ(checked("rf.img", "rj.img"), expected);
}

// debugfs reads a journal as a plain file.
TEST_F(ExternalJournal, IsShownByLogdump) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "fs.qcow2"});
  const Outcome expected = run({"debugfs", "-R", "logdump -f j.img", "f.img"});
  EXPECT_NE(expected.out.find("sequence"), std::string::npos) << expected;
  EXPECT_EQ(
      output_of({E2QCOW_PROGRAM, "exec", "--", "debugfs", "-R", "logdump -f fs.journal.qcow2", "fs.qcow2"}),
      expected.out);
}

// Neither e2fsck nor the kernel replays one.
TEST_F(ExternalJournal, OfSeveralFileSystemsIsNotFollowed) {
  output_of({"sh", "-c", R"(printf '\000\000\000\002' | dd of=j.img bs=1 seek=$((2048 + 64)) conv=notrunc)"});
  EXPECT_NE(checked("f.img", "j.img").out.find("multiple filesystem users"), std::string::npos);
  const Outcome dump = e2qcow({"dump", "--journal=j.img", "f.img", "fs.qcow2"});
  EXPECT_EQ(dump.status, 3) << dump;
  EXPECT_NE(dump.err.find("j.img: is the journal of 2 file systems"), std::string::npos) << dump;
  output_of({E2QCOW_PROGRAM, "restore", "-q", "fs.journal.qcow2", "rj.img"});
  output_of({"cmp", "j.img", "rj.img"});
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

// The image's name is a link on the frozen file system, and the journal's would be a file there.
TEST_F(ExternalJournal, IsNotWrittenToTheFrozenFileSystem) {
  const std::string directory = output_of({"findmnt", "-nro", "TARGET", device_});
  const std::string link = directory.substr(0, directory.find('\n')) + "/fs.qcow2";
  std::filesystem::create_symlink(path("fs.qcow2"), link);
  expect_failure(e2qcow({"dump", "--freeze", device_, link}),
                 {"fs.journal.qcow2: is on the file system that would be frozen"});
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--freeze", "--journal-image=j.qcow2", device_, link});
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

// e2fsck, and the kernel, take the empty journal for that of the file system.
TEST_F(ExternalJournal, IsMadeAnewWhereNoReplayIsNeeded) {
  expect_failure(e2qcow({"restore", "--new-journal=new", image_of("f.img"), "rf.img"}),
                 {"f.img.qcow2: its journal must be replayed"});
  for (const char* name : {"new", "rf.img"}) EXPECT_FALSE(std::filesystem::exists(path(name))) << name;
  EXPECT_EQ(checked("f.img", "j.img").status, 1);
  output_of({E2QCOW_PROGRAM, "restore", "-q", "--new-journal=new", image_of("checked"), "rf.img"});
  const Outcome judged = run({"e2fsck", "-fn", "-j", "new", "rf.img"});
  EXPECT_EQ(judged.status, 0) << judged;

  const std::string journal = attach("new");
  const std::string directory = mount(attach("rf.img"), {"-o", "journal_path=" + journal});
  output_of({"mkdir", directory + "/another"});
}

TEST_F(ExternalJournal, IsNotMadeAnewForOthers) {
  make_file_system();
  expect_failure(e2qcow({"restore", "--new-journal=new", image_of("disk.img"), "rf.img"}),
                 {"disk.img.qcow2: its file system has no journal on another device"});
  EXPECT_EQ(checked("f.img", "j.img").status, 1);
  output_of({"truncate", "-s", "1000K", "small"});
  expect_failure(e2qcow({"restore", "--new-journal=" + attach("small"), image_of("checked"), "rf.img"}),
                 {"too small: it has 1024000 bytes, a journal has at least 1048576"});
  expect_failure(e2qcow({"restore", "--new-journal=" + journal_, "checked.qcow2", "rf.img"}), {"in use"}, 4);
  expect_failure(e2qcow({"restore", "--new-journal=./rf.img", "checked.qcow2", "rf.img"}),
                 {"rf.img: is given for the file system and for its journal"});
  expect_failure(e2qcow({"restore", "--new-journal=checked.qcow2", "checked.qcow2", "rf.img"}),
                 {"checked.qcow2"});
  EXPECT_FALSE(std::filesystem::exists(path("rf.img")));
}

TEST_F(ExternalJournal, IsNotRestoredWithAnImageOfAnotherDump) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "fs.qcow2"});
  expect_failure(
      e2qcow({"restore", "--journal-image=fs.journal.qcow2", "--journal=rf.img", "fs.qcow2", "rf.img"}),
      {"rf.img: is given for the file system and for its journal"});
  EXPECT_EQ(run({"e2fsck", "-fy", "-j", "j.img", "f.img"}).status, 1);
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--journal=j.img", "f.img", "later.qcow2"});
  expect_failure(
      e2qcow({"restore", "--journal-image=later.journal.qcow2", "--journal=rj.img", "fs.qcow2", "rf.img"}),
      {"later.journal.qcow2: was not dumped together with fs.qcow2"});
  for (const char* name : {"rj.img", "rf.img"}) EXPECT_FALSE(std::filesystem::exists(path(name))) << name;
}

}  // namespace
}  // namespace e2qcow::test
