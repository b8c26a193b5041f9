// SPDX-License-Identifier: GPL-2.0-or-later
// Where changes go: an overlay that is kept, or one that is dropped; and what is left of it by a program that
// was killed.
#include "base/file/posix_file.h"
#include "tests/program/support/plugin.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class PluginOverlay : public PluginTest {
 protected:
  void SetUp() override {
    PluginTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({{"-t", "ext4", "-b", "1024"}});
    debugfs_write({"freeb 100 4000", "set_super_value free_blocks_count 3", "set_super_value state 0"});
    make_image();
  }

  Outcome with_overlay(const Words& words, const Words& environment = {}) const {
    return on_image(words, {"--overlay", "overlay"}, environment);
  }
  std::string label(const Outcome& dumpe2fs) const {
    const std::string title = "Filesystem volume name:";
    const auto begin = dumpe2fs.out.find(title);
    return dumpe2fs.out.substr(begin + title.size() + 3, dumpe2fs.out.find('\n') - begin - title.size() - 3);
  }
};

TEST_F(PluginOverlay, WithoutOneChangesAreDroppedAndThatIsSaid) {
  const Outcome outcome = on_image({"e2fsck", "-fy", "disk.img"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("disk.img: unchanged; all changes were discarded"), std::string::npos)
      << outcome;
  EXPECT_EQ(names_in(path("image")), Words{"disk.img"});
  EXPECT_NE(on_image({"e2fsck", "-fn", "disk.img"}).status, 0);
}

TEST_F(PluginOverlay, NothingIsPrintedIfNothingWasChanged) {
  for (const Words& words : {Words{"e2fsck", "-fn", "disk.img"}, Words{"dumpe2fs", "disk.img"}})
    EXPECT_EQ(on_image(words).err.find(kOurLines), std::string::npos);
}

TEST_F(PluginOverlay, ProgramsThatReadNeedNoPlaceForChanges) {
  const Words nowhere{"TMPDIR=" + path("nowhere").string()};
  EXPECT_EQ(on_image({"dumpe2fs", "disk.img"}, {}, nowhere), on_raw({"dumpe2fs", "disk.img"}));
  const Outcome outcome = on_image({"tune2fs", "-L", "trial", "disk.img"}, {}, nowhere);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("nowhere: create a temporary file: No such file"), std::string::npos) << outcome;
}

TEST_F(PluginOverlay, ProgramsOfOneRunSeeWhatTheOthersChanged) {
  const Outcome outcome = on_image({"sh", "-c",
                                    "e2fsck -fy disk.img; tune2fs -L trial disk.img; e2fsck -fn disk.img && "
                                    "dumpe2fs -h disk.img | grep trial"});
  EXPECT_EQ(outcome.status, 0) << outcome;
}

// It is named by the number of a process, which may be another's when the run has ended.
TEST_F(PluginOverlay, AFileOfOthersIsNotTakenForThatOfTheRun) {
  const std::string precious(1 << 20, 'x');
  write_file(path("image/precious"), precious);
  for (const char* name : {"$PWD/precious", "/dev/null", "$PWD", "/proc/1/fd/4711"}) {
    const std::string assignment = std::string("E2QCOW_TEMPORARY0=") + name;
    const Outcome outcome =
        on_image({"sh", "-c", assignment + " E2QCOW_TEMPORARY1= tune2fs -L trial disk.img"});
    EXPECT_EQ(outcome.status, 0) << outcome;
    EXPECT_NE(outcome.err.find("disk.img: its changes are discarded"), std::string::npos) << outcome;
  }
  EXPECT_TRUE(read_file(path("image/precious")) == precious);
}

TEST_F(PluginOverlay, ProgramsOfOneRunShareTheChangesToEachImage) {
  copy_disk(path("image/disk.img"), path("image/second"));
  const Outcome outcome =
      on_image({"sh", "-c",
                "debugfs -w -R 'mkdir /a' disk.img; debugfs -w -R 'mkdir /b' second; "
                "debugfs -R 'stat /a' disk.img; debugfs -R 'stat /b' second; debugfs -R 'stat /a' second"});
  EXPECT_NE(outcome.out.find("Type: directory"), outcome.out.rfind("Type: directory")) << outcome;
  EXPECT_NE(outcome.err.find("/a: File not found"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("disk.img: unchanged; all changes were discarded"), std::string::npos);
  EXPECT_NE(outcome.err.find("second: unchanged; all changes were discarded"), std::string::npos);
  EXPECT_EQ(outcome.err.find("use: "), std::string::npos);
}

// They find their files at the same time. There are 16: the changes to further images are their program's.
TEST_F(PluginOverlay, ProgramsOfOneRunMayChangeManyImagesAtOnce) {
  for (int i = 1; i <= 17; ++i) copy_disk(path("image/disk.img"), path("image/" + std::to_string(i)));
  const Outcome outcome =
      on_image({"sh", "-c",
                "for i in $(seq 16); do tune2fs -L label$i $i & done; wait; tune2fs -L label17 17; "
                "for i in $(seq 17); do dumpe2fs -h $i; done"});
  for (int i = 1; i <= 16; ++i)
    EXPECT_NE(outcome.out.find("label" + std::to_string(i) + "\n"), std::string::npos) << i << outcome;
  EXPECT_EQ(outcome.out.find("label17\n"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("/17: its changes are discarded"), std::string::npos) << outcome;
}

TEST_F(PluginOverlay, OfOneImageLeavesTheChangesToOthersToBeDropped) {
  copy_disk(path("image/disk.img"), path("image/second"));
  const Outcome outcome = on_image({"sh", "-c", "tune2fs -L first disk.img; tune2fs -L other second"},
                                   {"--overlay", "disk.img=overlay"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.err.find("second: unchanged; all changes were discarded"), std::string::npos) << outcome;
  EXPECT_EQ(outcome.err.find("disk.img: unchanged"), std::string::npos) << outcome;
  EXPECT_EQ(label(with_overlay({"dumpe2fs", "-h", "disk.img"})), "first");
}

TEST_F(PluginOverlay, EachImageHasItsOwn) {
  copy_disk(path("image/disk.img"), path("image/second"));
  const Words overlays{"--overlay", "disk.img=of-first", "--overlay", "second=of=second"};
  const Words rename{"sh", "-c", "tune2fs -L first disk.img; tune2fs -L other second"};
  EXPECT_EQ(on_image(rename, overlays).status, 0);
  expect_qemu_finds_nothing("image/of-first");
  expect_qemu_finds_nothing("image/of=second");
  EXPECT_EQ(label(on_image({"dumpe2fs", "-h", "disk.img"}, overlays)), "first");
  EXPECT_EQ(label(on_image({"dumpe2fs", "-h", "./second"}, overlays)), "other");
}

TEST_F(PluginOverlay, ThatOfOneImageIsNoneForAnother) {
  copy_disk(path("image/disk.img"), path("image/second"));
  const Outcome outcome = with_overlay({"sh", "-c", "tune2fs -L first disk.img; tune2fs -L other second"});
  EXPECT_NE(outcome.err.find("but an overlay of disk.img"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("--overlay IMAGE=FILE"), std::string::npos) << outcome;
}

TEST_F(PluginOverlay, OptionsThatNameNoImageAreUsageErrors) {
  EXPECT_EQ(on_image({"dumpe2fs", "disk.img"}, {"--overlay", "missing=overlay"}).status, 2);
  EXPECT_EQ(on_image({"dumpe2fs", "disk.img"}, {"--overlay", "disk.img="}).status, 2);
  EXPECT_EQ(on_image({"dumpe2fs", "disk.img"}, {"--overlay", "a", "--overlay", "b"}).status, 2);
  EXPECT_EQ(
      on_image({"dumpe2fs", "disk.img"}, {"--overlay", "disk.img=a", "--overlay", "./disk.img=b"}).status, 2);
  EXPECT_EQ(names_in(path("image")), Words{"disk.img"});
}

TEST_F(PluginOverlay, IsMissedByProgramsThatRead) {
  const Outcome missing = with_overlay({"dumpe2fs", "-h", "disk.img"});
  EXPECT_EQ(missing.status, 0);
  EXPECT_NE(missing.err.find("overlay: does not exist; "), std::string::npos) << missing;
  copy_disk(path("image/disk.img"), path("image/second"));
  EXPECT_EQ(with_overlay({"tune2fs", "-L", "other", "second"}).err, on_raw({"true"}).err);
  const Outcome of_other = with_overlay({"dumpe2fs", "-h", "disk.img"});
  EXPECT_NE(of_other.err.find("overlay: is an overlay of second; "), std::string::npos) << of_other;
  EXPECT_EQ(with_overlay({"dumpe2fs", "-h", "second"}).err.find(kOurLines), std::string::npos);
}

// One program that changes two images at once.
TEST_F(PluginOverlay, AJournalInAnotherImageIsReplayed) {
  const std::string uuid = "00112233-4455-6677-8899-aabbccddeeff";
  output_of({"mke2fs", "-q", "-F", "-O", "journal_dev", "-b", "1024", "-U", uuid, "disk.img", "8M"});
  patch_file(path("disk.img"), 2048 + 0x40, std::string("\0\0\0\1", 4));  // users of the journal: one
  patch_file(path("disk.img"), 2048 + 0x100, "0123456789abcdef");
  make_image();
  fs::rename(path("raw/disk.img"), path("raw/journal"));
  fs::rename(path("image/disk.img"), path("image/journal"));
  output_of({"mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^has_journal", "-U",
             "30313233-3435-3637-3839-616263646566", "disk.img", "16M"});
  debugfs_write({"feature has_journal", "set_super_value journal_uuid " + uuid,
                 "set_super_value journal_dev 0x801", "set_super_value state 0"});
  make_image();
  const Words words{"e2fsck", "-fy", "-j", "journal", "disk.img"};
  const Outcome raw = on_raw(words);
  Outcome image = on_image(words);
  EXPECT_NE(image.err.find("disk.img: unchanged"), std::string::npos) << image;
  image.err = without_our_lines(image.err);
  EXPECT_EQ(first_difference(image, raw), "");
  EXPECT_EQ(raw.status, 1) << raw;
}

TEST_F(PluginOverlay, ATemporaryFileIsNamedByItsDirectory) {
  const Outcome outcome = on_image({"e2fsck", "-fy", "disk.img"}, {}, faulty({"FAULTY_WRITE=12"}));
  EXPECT_NE(outcome.err.find("temporary file in "), std::string::npos) << outcome;
  EXPECT_EQ(outcome.err.find("/proc/"), std::string::npos) << outcome;
}

TEST_F(PluginOverlay, IsContinuedByASecondRun) {
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  expect_qemu_finds_nothing("image/overlay");
  EXPECT_EQ(with_overlay({"e2fsck", "-fn", "disk.img"}).status, 0);
  EXPECT_EQ(with_overlay({"tune2fs", "-L", "kept", "disk.img"}).status, 0);
  expect_qemu_finds_nothing("image/overlay");
  EXPECT_EQ(label(with_overlay({"dumpe2fs", "-h", "disk.img"})), "kept");
  EXPECT_NE(label(on_image({"dumpe2fs", "-h", "disk.img"})), "kept");
}

TEST_F(PluginOverlay, IsAnImageForAllOtherCommands) {
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  output_of({E2QCOW_PROGRAM, "restore", "-q", "--backing", "image/disk.img", "image/overlay", "ours"});
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image/overlay", "theirs"});
  expect_same_bytes("ours", "theirs");
  const Outcome compare =
      e2qcow({"compare", "--backing-b", "image/disk.img", "image/disk.img", "image/overlay"});
  EXPECT_EQ(compare.status, 1);
  EXPECT_NE(compare.out.find("superblocks"), std::string::npos) << compare;
  // And one that may be changed itself.
  EXPECT_EQ(test::run({E2QCOW_PROGRAM, "exec", "--backing", "disk.img", "--overlay", "second", "--",
                       "tune2fs", "-L", "third", "overlay"},
                      path("image"))
                .status,
            0);
  expect_qemu_finds_nothing("image/second");
}

TEST_F(PluginOverlay, IsMergedByQemuImg) {
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image/overlay", "repaired"});
  output_of({"qemu-img", "commit", "-q", "-f", "qcow2", "image/overlay"});
  output_of({"qemu-img", "compare", "-f", "qcow2", "-F", "raw", "image/disk.img", "repaired"});
  EXPECT_EQ(on_image({"e2fsck", "-fn", "disk.img"}).status, 0);
}

TEST_F(PluginOverlay, OneMadeByQemuImgIsContinued) {
  output_of({"sh", "-c", "cd image && qemu-img create -q -f qcow2 -b disk.img -F qcow2 overlay"});
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  expect_qemu_finds_nothing("image/overlay");
  EXPECT_EQ(with_overlay({"e2fsck", "-fn", "disk.img"}).status, 0);
}

TEST_F(PluginOverlay, NoOtherFileIsWrittenTo) {
  const std::string other(1 << 20, 'x');
  write_file(path("image/overlay"), other);
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 8);
  EXPECT_TRUE(read_file(path("image/overlay")) == other);
  copy_disk(path("image/disk.img"), path("image/other"));
  fs::remove(path("image/overlay"));
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "other"}).status, 1);
  const Outcome outcome = with_overlay({"e2fsck", "-fy", "disk.img"});
  EXPECT_EQ(outcome.status, 8);
  EXPECT_NE(outcome.err.find("is not an overlay of"), std::string::npos) << outcome;
}

// Its clusters would be mixed with those of another disk of that size.
TEST_F(PluginOverlay, IsNotContinuedOnAnotherDump) {
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  const std::string before = read_file(path("image/overlay"));
  make_file_system({{"-t", "ext4", "-b", "1024", "-L", "another"}});
  make_image();
  for (const char* option : {"-fy", "-fn"}) {
    const Outcome outcome = with_overlay({"e2fsck", option, "disk.img"});
    EXPECT_EQ(outcome.status, 8);
    EXPECT_NE(outcome.err.find("was made on top of another dump"), std::string::npos) << outcome;
  }
  EXPECT_TRUE(read_file(path("image/overlay")) == before);
}

TEST_F(PluginOverlay, IsFoundThroughALinkToAnotherDirectory) {
  fs::create_directory(path("other"));
  fs::create_symlink("../other/overlay", path("image/overlay"));
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  for (const char* name : {"image/overlay", "other/overlay"}) {
    expect_qemu_finds_nothing(name);
    output_of({"qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", name, "image/overlay"});
    EXPECT_EQ(on_image({"e2fsck", "-fn", "disk.img"}, {"--overlay", path(name)}).status, 0);
  }
}

TEST_F(PluginOverlay, ADiskThatIsFullIsAnErrorAndTheOverlayIsWhole) {
  const Outcome outcome = with_overlay({"e2fsck", "-fy", "disk.img"}, faulty({"FAULTY_WRITE=12"}));
  EXPECT_GE(outcome.status, 4);
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome;
  EXPECT_LE(run({"qemu-img", "check", "-f", "qcow2", "image/overlay"}).status % 3, 0);
  EXPECT_LE(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  EXPECT_EQ(with_overlay({"e2fsck", "-fn", "disk.img"}).status, 0);
}

TEST_F(PluginOverlay, IsNotWrittenByUsAndByQemuAtOnce) {
  for (const char* program : {"qemu-io", "qemu-nbd"}) require_program(program);
  if (IsSkipped() || HasFatalFailure()) return;
  EXPECT_EQ(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
  const Words by_qemu{"qemu-io", "-f", "qcow2", "-c", "write 0 512", "image/overlay"};
  {
    const auto ours = open_for_update(path("image/overlay"));
    EXPECT_NE(run(by_qemu).err.find("lock"), std::string::npos);
  }
  output_of(
      {"sh", "-c", "qemu-nbd --fork --persistent --pid-file=$PWD/pid -k $PWD/socket -f qcow2 image/overlay"});
  const Outcome outcome = with_overlay({"e2fsck", "-fy", "disk.img"});
  output_of({"sh", "-c", "kill $(cat pid)"});
  EXPECT_EQ(outcome.status, 8);
  EXPECT_NE(outcome.err.find("is open in QEMU"), std::string::npos) << outcome;
}

// A killed program leaves an overlay with nothing worse than leaks, in which a second run does the work.
TEST_F(PluginOverlay, AKilledProgramLeavesOneThatCanBeContinued) {
  int killed = 0;
  for (int write = 1;; ++write) {
    SCOPED_TRACE("killed at write " + std::to_string(write));
    fs::remove(path("image/overlay"));
    const Outcome outcome =
        with_overlay({"e2fsck", "-fy", "disk.img"}, faulty({"FAULTY_KILL=" + std::to_string(write)}));
    if (outcome.status != 137) {
      EXPECT_EQ(outcome.status, 1);
      break;
    }
    ++killed;
    if (fs::exists(path("image/overlay"))) {
      const int check = run({"qemu-img", "check", "-f", "qcow2", "image/overlay"}).status;
      EXPECT_TRUE(check == 0 || check == 3) << check;
      EXPECT_EQ(e2qcow({"check", "image/overlay"}).status, check);
    }
    EXPECT_LE(with_overlay({"e2fsck", "-fy", "disk.img"}).status, 1);
    EXPECT_EQ(with_overlay({"e2fsck", "-fn", "disk.img"}).status, 0);
    output_of({"qemu-img", "check", "-q", "-r", "leaks", "image/overlay"});
    expect_qemu_finds_nothing("image/overlay");
  }
  EXPECT_GT(killed, 10);
}

}  // namespace
}  // namespace e2qcow::test
