// SPDX-License-Identifier: GPL-2.0-or-later
// What GParted, fstests, scripts and people call, and what they read.
#include <algorithm>
#include <regex>
#include <set>

#include "tests/program/support/e2image.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class E2imageCallers : public E2imageTest {};

TEST_F(E2imageCallers, GPartedFindsTheMoveOptionInTheUsageOnStandardError) {
  const Outcome outcome = ours({});
  EXPECT_EQ(outcome, theirs({}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("-o src_offset"), std::string::npos);
}

TEST_F(E2imageCallers, MessagesAndStatusesAreTheSame) {
  make_file_system();
  write_file(path("text"), "no file system");
  write_file(path("zeros"), std::string(1 << 20, '\0'));
  fs::create_directory(path("directory"));
  fs::create_symlink("circle", path("circle"));
  output_of({"mkswap", "-q", "zeros"});
  copy_disk(path("disk.img"), path("before.img"));
  const std::vector<Words> all{{"-r"},
                               {"-r", "disk.img"},
                               {"-z", "a", "b"},
                               {"-rQ", "a", "b"},
                               {"-a", "disk.img", "TARGET"},
                               {"-b", "1", "disk.img", "TARGET"},
                               {"-o", "5", "disk.img", "TARGET"},
                               {"-o", "5", "disk.img"},
                               {"-r", "-o", "5", "disk.img"},
                               {"-r", "absent", "TARGET"},
                               {"-r", "text", "TARGET"},
                               {"-r", "zeros", "TARGET"},
                               {"zeros", "TARGET"},
                               {"-r", "directory", "TARGET"},
                               {"-r", "disk.img", "directory"},
                               {"-Q", "disk.img", "directory"},
                               {"-Q", "disk.img", "absent/TARGET"},
                               {"-Q", "disk.img", "circle"},
                               {"circle", "TARGET"},
                               {"-r", "disk.img", ""},
                               {"-Q", "disk.img", ""},
                               {"-ra", "-O", "-5", "disk.img"},
                               {"-ra", "-O", "-5", "disk.img", "TARGET"},
                               {"-Q", "disk.img", "-"},
                               {"-c", "disk.img", "TARGET"},
                               {"-rc", "disk.img", "-"},
                               {"-p", "disk.img", "TARGET"},
                               {"-Qp", "disk.img", "TARGET"},
                               {"-Qc", "disk.img", "TARGET"},
                               {"-rB", "2048", "disk.img", "TARGET"},
                               {"-r", "-b", "8193", "-B", "2048", "disk.img", "TARGET"},
                               {"-r", "-o", "1024", "disk.img", "TARGET"},
                               {"-I", "-r", "disk.img", "TARGET"},
                               {"-I", "disk.img", "absent"},
                               {"-I", "disk.img", "text"},
                               {"-n", "disk.img", "TARGET"}};
  for (const Words& arguments : all) expect_same(arguments);
  expect_same_bytes("disk.img", "before.img");
}

TEST_F(E2imageCallers, AnOffsetPastTheLargestFileLeavesTheTargetUnchanged) {
  make_file_system();
  EXPECT_EQ(theirs({"-Q", "disk.img", "image.qcow2"}).status, 0);
  write_file(path("before"), std::string(40 << 20, 'x'));
  for (const std::string offset : {"-5", "-33554432", "9223372036854775807"}) {
    for (const std::string source : {"disk.img", "image.qcow2"}) {
      copy_disk(path("before"), path("ours"));
      const Outcome outcome = ours({"-rO", offset, source, "ours"});
      EXPECT_EQ(outcome.status, 1) << outcome;
      EXPECT_NE(outcome.err.find("seek_set: Invalid argument\n"), std::string::npos) << outcome;
      expect_same_bytes("ours", "before");
    }
  }
}

// A target without seeking cannot hold an image; but /dev/null is allowed, because nothing is to be kept.
TEST_F(E2imageCallers, AnImageForACharacterDeviceIsRefusedUnlessItIsNull) {
  make_file_system();
  EXPECT_EQ(ours({"-Q", "disk.img", "/dev/full"}).status, 1);
  EXPECT_EQ(ours({"-Q", "disk.img", "/dev/null"}).status, 0);
}

TEST_F(E2imageCallers, GPartedCopiesWithProgressThatItCanRead) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const Outcome outcome = ours({"-ra", "-p", "disk.img", "ours.raw"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(outcome.out, "");
  const std::regex copying("\nCopying \\d+ / \\d+ blocks");
  const std::regex copied("[\r\n]Copied \\d+ / \\d+ blocks \\(100%\\) in \\d\\d:\\d\\d:\\d\\d [^\n]*\n$");
  EXPECT_TRUE(std::regex_search(outcome.err, copying)) << outcome;
  EXPECT_TRUE(std::regex_search(outcome.err, copied)) << outcome;
  expect_same_blocks_in_use("ours.raw");
}

TEST_F(E2imageCallers, ProgressTellsHowLongItWillTake) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const Outcome outcome = ours({"-rap", "disk.img", "ours.raw"}, faulty({"FAULTY_CLOCK=2"}));
  EXPECT_EQ(outcome.status, 0) << outcome;
  const std::regex estimate(
      "\b\\d+ / \\d+ blocks \\(\\d+%\\) \\d\\d:\\d\\d:\\d\\d remaining at \\d+\\.\\d\\d MB/s");
  EXPECT_TRUE(std::regex_search(outcome.err, estimate)) << outcome;
}

// Theirs refuses. Nobody can say whether the image is whole.
TEST_F(E2imageCallers, UnknownFeaturesAreNoSuccess) {
  make_file_system();
  patch_file(path("disk.img"), 1024 + 0x60 + 3, "\x80");
  for (const char* options : {"-r", "-ra", "-Q"}) {
    const Outcome outcome = ours({options, "disk.img", "ours"});
    EXPECT_EQ(outcome.status, 1) << outcome;
    EXPECT_NE(outcome.err.find("unknown features"), std::string::npos) << outcome;
    fs::remove(path("ours"));
  }
  EXPECT_EQ(run({"e2image", "-r", "disk.img", "theirs"}).status, 1);
}

TEST_F(E2imageCallers, ComparingWritesWhatIsDifferent) {
  make_file_system();
  EXPECT_EQ(ours({"-r", "disk.img", "ours"}).status, 0);
  copy_disk(path("ours"), path("theirs"));
  patch_file(path("ours"), first_block_of("/many") * block_size(), "changed");
  patch_file(path("theirs"), first_block_of("/many") * block_size(), "changed");
  const Outcome outcome = ours({"-rc", "disk.img", "ours"});
  EXPECT_EQ(outcome, theirs({"-rc", "disk.img", "theirs"}));
  expect_same_bytes("ours", "theirs");
}

TEST_F(E2imageCallers, APipeHoldsTheImageAndNothingElse) {
  require_program("bzip2");
  if (IsSkipped() || HasFatalFailure()) return;
  make_file_system();
  write_file(path("pipe.sh"), E2IMAGE_PROGRAM " -r disk.img - 2>ours.err | bzip2 | bunzip2 >ours.raw\n");
  output_of({"sh", "pipe.sh"});
  EXPECT_EQ(theirs({"-r", "disk.img", "theirs.raw"}).status, 0);
  expect_same_bytes("ours.raw", "theirs.raw");
  EXPECT_TRUE(std::regex_match(read_file(path("ours.err")), std::regex("e2image [^\n]+ \\([^\n]+\\)\n")));
}

TEST_F(E2imageCallers, AnImageGoesThroughAPipeAsARawDisk) {
  make_file_system();
  EXPECT_EQ(ours({"-Q", "disk.img", "image.qcow2"}).status, 0);
  write_file(path("pipe.sh"), E2IMAGE_PROGRAM " -r image.qcow2 - 2>/dev/null | cat >ours.raw\n");
  output_of({"sh", "pipe.sh"});
  EXPECT_EQ(theirs({"-r", "disk.img", "theirs.raw"}).status, 0);
  expect_same_bytes("ours.raw", "theirs.raw");
}

TEST_F(E2imageCallers, DebuggersOpenTheClassicFormat) {
  make_file_system();
  EXPECT_EQ(ours({"disk.img", "ours.e2i"}).status, 0);
  EXPECT_NE(output_of({"dumpe2fs", "-i", "ours.e2i"}).find("Group 0"), std::string::npos);
  EXPECT_NE(output_of({"debugfs", "-i", "-R", "stat <2>", "ours.e2i"}).find("directory"), std::string::npos);
}

TEST_F(E2imageCallers, AClassicImageIsInstalled) {
  make_file_system();
  EXPECT_EQ(theirs({"disk.img", "image.e2i"}).status, 0);
  for (const std::string program : {"ours", "theirs"}) {
    copy_disk(path("disk.img"), path(program));
    patch_file(path(program), 1024, std::string(1024, '\0'));
  }
  EXPECT_EQ(ours({"-I", "ours", "image.e2i"}).status, 0);
  EXPECT_EQ(theirs({"-I", "theirs", "image.e2i"}).status, 0);
  std::string a = read_file(path("ours"));
  std::string b = read_file(path("theirs"));
  for (std::string* bytes : {&a, &b})
    bytes->replace(1024 + 48, 4, 4, '\0').replace(1024 + 1020, 4, 4, '\0');  // time, checksum
  EXPECT_TRUE(a == b);
  EXPECT_EQ(run({"e2fsck", "-fn", "ours"}).status, 0);
}

class E2imageMoves : public E2imageTest {
 protected:
  Outcome move(const std::string& option, std::uint64_t offset, const Words& environment = {}) const {
    return ours({"-ra", "-p", option, std::to_string(offset), "moved.img"}, environment);
  }
  // The file system at the offset in moved.img is that of disk.img.
  void expect_file_system_at(std::uint64_t offset) const {
    output_of({"dd", "status=none", "if=moved.img", "of=ours.raw", "bs=64k", "iflag=skip_bytes,count_bytes",
               "conv=sparse", "skip=" + std::to_string(offset),
               "count=" + std::to_string(fs::file_size(path("disk.img")))});
    EXPECT_EQ(run({"e2fsck", "-fn", "ours.raw"}).status, 0);
    fs::remove_all(path("files"));
    expect_same_files("ours.raw");
  }
};

TEST_F(E2imageMoves, GoInBothDirectionsAndMayOverlap) {
  for (const std::uint64_t offset : {std::uint64_t{512}, std::uint64_t{1 << 20}, std::uint64_t{100 << 20}}) {
    make_file_system({{"-t", "ext4", "-b", "1024"}});
    copy_disk(path("disk.img"), path("moved.img"));
    Outcome outcome = move("-O", offset);
    EXPECT_EQ(outcome.status, 0) << outcome;
    EXPECT_NE(outcome.err.find("\rCopied "), std::string::npos) << outcome;
    expect_file_system_at(offset);
    outcome = move("-o", offset);
    EXPECT_EQ(outcome.status, 0) << outcome;
    expect_file_system_at(0);
  }
}

// At any moment: either the old range is whole, or the move continues with a warning.
TEST_F(E2imageMoves, ASignalDestroysNothing) {
  constexpr int kEndedWhileScanning = 128 + 2;
  constexpr int kEndedWhileCopying = 128 + 9;
  constexpr std::uint64_t kDistance = 8 << 20;
  const std::string warning =
      "\rStopping now will destroy the filesystem, interrupt again if you are sure\nCopying ";
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const auto interrupted_at = [&](int read) {
    copy_disk(path("disk.img"), path("moved.img"));
    const Outcome outcome = move("-O", kDistance,
                                 faulty({"FAULTY_FILE=" + path("moved.img").string(),
                                         "FAULTY_READ=" + std::to_string(read), "FAULTY_SIGNAL=2"}));
    expect_file_system_at(outcome.status == 0 ? kDistance : 0);
    return outcome;
  };
  constexpr int kStep = 40;
  int read = kStep;
  while (interrupted_at(read).status == kEndedWhileScanning) read += kStep;
  std::set<int> statuses;
  bool warned = false;
  bool arrived = true;
  for (read -= kStep; arrived; read += 2) {
    const Outcome outcome = interrupted_at(read);
    statuses.insert(outcome.status);
    arrived = outcome.status != 0 || outcome.err.find(warning) != std::string::npos;
    warned = warned || (arrived && outcome.status == 0);
  }
  // Between the scan and the first block that destroys something there may be no read at all.
  const std::set<int> allowed{0, kEndedWhileScanning, kEndedWhileCopying};
  EXPECT_TRUE(std::ranges::includes(allowed, statuses));
  EXPECT_TRUE(warned);
}

TEST_F(E2imageMoves, OfAFileKeepTheDataAfterTheFileSystem) {
  make_file_system();
  copy_disk(path("disk.img"), path("moved.img"));
  fs::resize_file(path("moved.img"), 64 << 20);
  patch_file(path("moved.img"), 60 << 20, "another partition");
  EXPECT_EQ(move("-O", 1 << 20).status, 0);
  EXPECT_EQ(read_bytes(path("moved.img"), 60 << 20, 17), "another partition");
  expect_file_system_at(1 << 20);
}

}  // namespace
}  // namespace e2qcow::test
