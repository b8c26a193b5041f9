// SPDX-License-Identifier: GPL-2.0-or-later
// Dumps that cannot be made. In every case nothing is left and an existing image stays unchanged.
#include <unistd.h>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class DumpErrors : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    fs::create_directory(path("out"));
  }

  Outcome dump(const std::string& source, const Words& environment = {}) const {
    return e2qcow({"dump", "--all", source, "out/image.qcow2"}, environment);
  }

  // The dump fails alike whether there is an older image or not.
  void expect_nothing_changes(const std::string& source, const Words& texts, const Words& environment = {},
                              int status = 1) const {
    expect_failure(dump(source, environment), texts, status);
    EXPECT_EQ(names_in(path("out")), Words{});
    write_file(path("out/image.qcow2"), "the older one");
    expect_failure(dump(source, environment), texts, status);
    EXPECT_EQ(names_in(path("out")), Words{"image.qcow2"});
    EXPECT_TRUE(read_file(path("out/image.qcow2")) == "the older one");
    fs::remove(path("out/image.qcow2"));
  }

  // If we are root: the words that make a program run as another user.
  Words as_nobody() const {
    fs::permissions(path("."), fs::perms::others_all, fs::perm_options::add);
    fs::copy_file(E2QCOW_PROGRAM, path("program"));
    if (::geteuid() != 0) return {path("program")};
    return {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", path("program")};
  }
};

TEST_F(DumpErrors, ADeviceThatDoesNotExist) {
  expect_nothing_changes("absent.img", {"absent.img: open: No such file or directory"});
}

TEST_F(DumpErrors, NotAnExtFileSystem) {
  write_file(path("other.img"), std::string(1 << 20, 'x'));
  expect_nothing_changes("other.img", {"other.img: no ext2/3/4 file system found"});
}

TEST_F(DumpErrors, AnEmptyFile) {
  write_file(path("empty.img"), "");
  expect_nothing_changes("empty.img", {"empty.img: no ext2/3/4 file system found"});
}

TEST_F(DumpErrors, ADirectoryInsteadOfADevice) {
  expect_nothing_changes("out", {"out: is a directory, and no file system is mounted on it"});
}

TEST_F(DumpErrors, APipeInsteadOfADevice) {
  output_of({"mkfifo", "pipe"});
  expect_nothing_changes("pipe", {"pipe: neither a regular file nor a block device"});
}

TEST_F(DumpErrors, AQcow2ImageIsNotTakenForADisk) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "disk.img", "disk.qcow2"}).status, 0);
  expect_nothing_changes("disk.qcow2", {"disk.qcow2: no ext2/3/4 file system found"});
}

TEST_F(DumpErrors, TheDirectoryIsMissing) {
  make_file_system();
  expect_failure(e2qcow({"dump", "disk.img", "absent/image.qcow2"}),
                 {"absent/image.qcow2: create: No such file or directory"});
  EXPECT_FALSE(fs::exists(path("absent")));
}

TEST_F(DumpErrors, TheDirectoryIsReadOnly) {
  make_file_system();
  Words words = as_nobody();
  fs::permissions(path("out"), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  if (::geteuid() != 0) fs::permissions(path("out"), fs::perms::owner_read | fs::perms::owner_exec);
  words.insert(words.end(), {"dump", "disk.img", "out/image.qcow2"});
  expect_failure(run(words), {"out/image.qcow2: create: Permission denied"});
  EXPECT_EQ(names_in(path("out")), Words{});
}

TEST_F(DumpErrors, TheOlderImageIsReadOnly) {
  make_file_system();
  Words words = as_nobody();
  write_file(path("out/image.qcow2"), "the older one");
  fs::permissions(path("out/image.qcow2"), fs::perms::owner_read | fs::perms::others_read);
  words.insert(words.end(), {"dump", "disk.img", "out/image.qcow2"});
  expect_failure(run(words), {"out/image.qcow2: open for writing: Permission denied"});
  EXPECT_EQ(names_in(path("out")), Words{"image.qcow2"});
}

TEST_F(DumpErrors, TheImageIsADirectory) {
  make_file_system();
  expect_failure(e2qcow({"dump", "disk.img", "out"}), {"out: exists and is neither a regular file"});
}

TEST_F(DumpErrors, TheImageIsTheDevice) {
  make_file_system();
  fs::create_symlink("disk.img", path("link"));
  fs::create_hard_link(path("disk.img"), path("other-name"));
  copy_disk(path("disk.img"), path("before.img"));
  for (const char* name : {"disk.img", "./disk.img", "link", "other-name"})
    expect_failure(e2qcow({"dump", "--force", "disk.img", name}),
                   {name, "would overwrite the input disk.img"});
  expect_same_bytes("disk.img", "before.img");
}

TEST_F(DumpErrors, AnUnwrittenImageHasNoNameWhicheverWriteFails) {
  make_file_system();
  for (const char* way : {"FAULTY_TMPFILE=0", "FAULTY_TMPFILE=1"}) {
    int number = 1;
    while (true) {
      const Outcome outcome = dump("disk.img", faulty({way, "FAULTY_WRITE=" + std::to_string(number)}));
      if (outcome.status == 0) break;
      expect_failure(outcome, {"out/image.qcow2: write at", "No space left on device"}, 4);
      EXPECT_EQ(names_in(path("out")), Words{});
      ASSERT_LT(++number, 1000);
    }
    EXPECT_GT(number, 3);
    EXPECT_EQ(names_in(path("out")), Words{"image.qcow2"});
    expect_qemu_finds_nothing("out/image.qcow2");
    fs::remove(path("out/image.qcow2"));
  }
}

TEST_F(DumpErrors, AnOlderImageStaysWhenTheDiskIsFull) {
  make_file_system();
  expect_nothing_changes("disk.img", {"out/image.qcow2: write at", "No space left on device"},
                         faulty({"FAULTY_WRITE=3"}), 4);
}

TEST_F(DumpErrors, AnOlderImageStaysWhenTheNewOneCannotBeSynced) {
  make_file_system();
  write_file(path("out/image.qcow2"), "the older one");
  expect_failure(dump("disk.img", faulty({"FAULTY_SYNC=1"})), {"out/image.qcow2: sync: Input/output error"});
  EXPECT_TRUE(read_file(path("out/image.qcow2")) == "the older one");
}

TEST_F(DumpErrors, AFileSizeLimitIsAnError) {
  make_file_system();
  const Outcome outcome = run({"sh", "-c", "ulimit -f 512; exec \"$0\" \"$@\"", E2QCOW_PROGRAM, "dump",
                               "--all", "--cluster-size=64k", "disk.img", "out/image.qcow2"});
  expect_failure(outcome, {"out/image.qcow2: ", "File too large"});
  EXPECT_EQ(names_in(path("out")), Words{});
}

// The disk gives other bytes the second time.
TEST_F(DumpErrors, AnImageThatDiffersFromItsDiskGetsNoName) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "-q", "--verify", "--all", "disk.img", "out/image.qcow2"}), (Outcome{0, "", ""}));
  fs::remove(path("out/image.qcow2"));
  expect_failure(
      e2qcow({"dump", "-q", "--verify", "--all", "disk.img", "out/image.qcow2"},
             faulty({"FAULTY_FILE=" + path("disk.img").string(),
                     "FAULTY_FLIP=" + std::to_string(first_block_of("/large") * block_size() + 7)})),
      {"out/image.qcow2: verification failed: it differs from disk.img at "});
  EXPECT_EQ(names_in(path("out")), Words{});
  EXPECT_EQ(e2qcow({"dump", "--verify", "disk.img", "-"}).status, 2);
}

class Signals : public DumpErrors, public ::testing::WithParamInterface<int> {};

// In the scan, between both, or while data is copied: whichever read the signal comes at.
TEST_P(Signals, EndTheDumpAndNothingIsLeft) {
  make_file_system();
  const std::string signal = "FAULTY_SIGNAL=" + std::to_string(GetParam());
  int interrupted = 0;
  for (int number = 1;; ++number) {
    const Words environment =
        faulty({"FAULTY_FILE=" + path("disk.img").string(), signal, "FAULTY_READ=" + std::to_string(number)});
    Words words{"dump", "--all", "--threads=1", "disk.img", "out/image.qcow2"};
    const Outcome outcome = e2qcow(words, environment);
    if (outcome.status == 0) break;
    ++interrupted;
    expect_failure(outcome, {"interrupted"}, 128 + GetParam());  // it ends by the signal
    EXPECT_EQ(names_in(path("out")), Words{});
    ASSERT_LT(number, 1000);
  }
  EXPECT_GT(interrupted, 3);
}

TEST_P(Signals, EndTheDumpAtOnceTheSecondTime) {
  make_file_system();
  write_file(path("out/image.qcow2"), "the older one");
  const std::string signal = "FAULTY_SIGNAL=" + std::to_string(GetParam());
  const std::string file = "FAULTY_FILE=" + path("disk.img").string();
  const Outcome outcome = dump("disk.img", faulty({file, signal, "FAULTY_READ=4", "FAULTY_SIGNALS=2"}));
  EXPECT_EQ(outcome.status, 128 + GetParam()) << outcome;
  EXPECT_EQ(names_in(path("out")), Words{"image.qcow2"});
  EXPECT_TRUE(read_file(path("out/image.qcow2")) == "the older one");
}

INSTANTIATE_TEST_SUITE_P(Numbers, Signals, ::testing::Values(SIGINT, SIGTERM, SIGHUP));

}  // namespace
}  // namespace e2qcow::test
