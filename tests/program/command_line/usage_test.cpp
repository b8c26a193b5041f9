// SPDX-License-Identifier: GPL-2.0-or-later
// The command line, exit statuses, standard input and output.
#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

using CommandLine = FileSystemTest;

TEST_F(CommandLine, HelpAndVersionSucceed) {
  EXPECT_EQ(e2qcow({"--help"}).status, 0);
  const Outcome version = e2qcow({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.out.starts_with("e2qcow ")) << version;
}

TEST_F(CommandLine, ValuesThatNoOptionTakesAreUsageErrors) {
  make_file_system();
  for (const Words& words : {Words{"dump", "--cluster-size=3000", "disk.img", "out"},
                             {"dump", "--cluster-size=256", "disk.img", "out"},
                             {"dump", "--cluster-size=4M", "disk.img", "out"},
                             {"dump", "--cluster-size=", "disk.img", "out"},
                             {"dump", "--compat=2.0", "disk.img", "out"},
                             {"dump", "--compress=lz4", "disk.img", "out"},
                             {"dump", "--compress", "", "disk.img", "out"},
                             {"dump", "--cluster-size", "", "disk.img", "out"},
                             {"dump", "--compress=zstd:99", "disk.img", "out"},
                             {"dump", "--compress=zlib:x", "disk.img", "out"},
                             {"dump", "--compat=0.10", "--compress=zstd", "disk.img", "out"},
                             {"dump", "--offset=1X", "disk.img", "out"},
                             {"dump", "--offset=-1", "disk.img", "out"},
                             {"dump", "--offset=99999999999999999999", "disk.img", "out"},
                             {"dump", "--offset=20000000T", "disk.img", "out"},
                             {"dump", "--partition=0", "disk.img", "out"},
                             {"dump", "--partition=1", "--offset=1M", "disk.img", "out"},
                             {"dump", "-B", "1000", "-b", "8193", "disk.img", "out"},
                             {"dump", "--progress=perhaps", "disk.img", "out"},
                             {"dump", "--progress=1", "disk.img", "out"},
                             {"dump", "-b", "-5", "disk.img", "out"},
                             {"dump", "-B", "1k", "disk.img", "out"},
                             {"dump", "--retries=101", "disk.img", "out"},
                             {"dump", "--sector-size=520", "disk.img", "out"},
                             {"dump", "--retries=1", "--retries=2", "disk.img", "out"},
                             {"dump", "--bad-blocks", "", "disk.img", "out"},
                             {"dump", "--report", "", "disk.img", "out"},
                             {"dump", "--map-out", "", "disk.img", "out"},
                             {"dump", "-b", "", "disk.img", "out"},
                             {"dump", "-B", "", "disk.img", "out"},
                             {"dump", "", "out"},
                             {"dump", "disk.img", ""},
                             {"measure", "--compress", "", "disk.img"},
                             {"measure", "--domain-map", "", "disk.img"},
                             {"restore", "--backing", "", "image.qcow2", "out"},
                             {"restore", "--max-ratio", "0", "image.qcow2", "out"},
                             {"compare", "--backing-a", "", "disk.img", "disk.img"},
                             {"exec", "--overlay", "", "--", "true"},
                             {"dump", "--threads=0", "disk.img", "out"},
                             {"dump", "--threads=x", "disk.img", "out"},
                             {"restore", "--all", "image.qcow2", "out"}}) {
    const Outcome outcome = e2qcow(words);
    SCOPED_TRACE(words[1]);
    EXPECT_EQ(outcome.status, 2) << outcome;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("e2qcow " + words[0] + ": ")) << outcome;
    EXPECT_TRUE(outcome.err.ends_with("; see e2qcow " + words[0] + " --help\n")) << outcome;
    for (const char* word : {"FAILED", "Check", "ould not convert", "At Most"})
      EXPECT_EQ(outcome.err.find(word), std::string::npos) << outcome;
    EXPECT_FALSE(fs::exists(path("out")));
  }
}

TEST_F(CommandLine, AWrongUseOfCheckIsNotItsWordForCorruptions) {
  for (const Words& words : {Words{"check", "--typo", "x"}, Words{"check"}, Words{"check", ""}})
    EXPECT_EQ(e2qcow(words).status, 1) << words.size();
}

// A pipe that ends early must not pass for a whole image.
TEST_F(CommandLine, AnImageThatEndsEarlyInAPipeIsAnErrorOfMapAndCompare) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "--compress=none", "disk.img", "image.qcow2"}).status, 0);
  for (const char* command : {"map -", "compare - disk.img:raw"}) {
    const Outcome outcome =
        run({"sh", "-c", std::string("head -c -100000 image.qcow2 | \"$0\" ") + command, E2QCOW_PROGRAM});
    EXPECT_EQ(outcome.status, command[0] == 'm' ? 1 : 2) << outcome;
    EXPECT_EQ(outcome.out, "") << outcome;
  }
  EXPECT_EQ(e2qcow({"compare", "-", "-"}).status, 2);
  EXPECT_EQ(run({"sh", "-c", "\"$0\" compare - image.qcow2 <disk.img", E2QCOW_PROGRAM}).status, 2);
}

// As `cat part.* | e2qcow restore -` without the last part.
TEST_F(CommandLine, ACompressedStreamThatEndsEarlySaysSo) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"}).status, 0);
  const Outcome outcome =
      run({"sh", "-c", "head -c -70000 image.qcow2 | \"$0\" restore - out", E2QCOW_PROGRAM});
  expect_failure(outcome, {"standard input: it ended early, at "});
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(CommandLine, AStreamThatEndsEarlySaysSoWhereverThatIs) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "--compress=none", "disk.img", "image.qcow2"}).status, 0);
  for (const char* bytes : {"50", "100", "200000", "-100000"}) {
    const Outcome outcome =
        run({"sh", "-c", "head -c $1 image.qcow2 | \"$0\" restore - out", E2QCOW_PROGRAM, bytes});
    expect_failure(outcome, {"standard input: ", "it ended early, "});
    EXPECT_FALSE(fs::exists(path("out")));
  }
}

TEST_F(CommandLine, ATerminalHasNoImage) {
  require_program("script");
  if (IsSkipped() || HasFatalFailure()) return;
  const Outcome outcome =
      run({"script", "-qec", std::string(E2QCOW_PROGRAM) + " restore - out", "/dev/null"});
  EXPECT_EQ(outcome.status, 1) << outcome;
  EXPECT_NE(outcome.out.find("standard input is a terminal"), std::string::npos) << outcome;
}

// A line that is as wide as the terminal would wrap, and stay.
TEST_F(CommandLine, TheProgressFitsTheTerminal) {
  require_program("script");
  if (IsSkipped() || HasFatalFailure()) return;
  make_file_system();
  for (const std::size_t columns : {20U, 30U, 64U, 200U}) {
    const std::string clock = "LD_PRELOAD=" FAULTY_READS_LIBRARY " FAULTY_CLOCK=1 ";
    const std::string line = "stty cols " + std::to_string(columns) + "; " + clock + E2QCOW_PROGRAM +
                             " dump --all --threads 1 --progress always disk.img x";
    const Outcome outcome = run({"script", "-qec", line, "/dev/null"});
    std::istringstream updates(outcome.out);
    std::size_t bars = 0;
    for (std::string update; std::getline(updates, update, '\r');) {
      if (update.find(" %") == std::string::npos) continue;
      ++bars;
      EXPECT_LT(update.size(), columns) << update;
    }
    EXPECT_GT(bars, 0U) << outcome;
    fs::remove(path("x"));
  }
}

TEST_F(CommandLine, AResultThatCannotBePrintedIsAnError) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "disk.img", "image.qcow2"}).status, 0);
  for (const auto& [target, status] : {std::pair{">/dev/full", 4}, std::pair{">&-", 1}})
    for (const char* command : {"info image.qcow2", "info --json image.qcow2", "measure disk.img",
                                "measure --json disk.img", "restore --json image.qcow2 disk.raw"}) {
      const std::string line = std::string("exec \"$0\" ") + command + " " + target;
      const Outcome outcome = run({"sh", "-c", line, E2QCOW_PROGRAM});
      EXPECT_EQ(outcome.status, status) << line << ": " << outcome;
      EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << line << ": " << outcome;
    }
}

TEST_F(CommandLine, HelpThatCannotBePrintedIsAnError) {
  for (const char* command : {"--help", "--version"}) {
    const std::string line = std::string("exec \"$0\" ") + command + " >/dev/full";
    EXPECT_EQ(run({"sh", "-c", line, E2QCOW_PROGRAM}).status, 1) << line;
  }
}

TEST_F(CommandLine, MessagesThatCannotBePrintedDoNotChangeTheStatus) {
  make_file_system();
  for (const char* target : {"2>/dev/full", "2>&-"}) {
    SCOPED_TRACE(target);
    const std::string failing = std::string("exec \"$0\" dump absent.img image.qcow2 ") + target;
    EXPECT_EQ(run({"sh", "-c", failing, E2QCOW_PROGRAM}).status, 1);
    const std::string good = std::string("exec \"$0\" dump --progress=always disk.img image.qcow2 ") + target;
    EXPECT_EQ(run({"sh", "-c", good, E2QCOW_PROGRAM}, faulty({"FAULTY_CLOCK=1"})).status, 0);
    expect_qemu_finds_nothing("image.qcow2");
    fs::remove(path("image.qcow2"));
  }
}

// Files would get the numbers 0 to 2, and messages would go into them.
TEST_F(CommandLine, NothingIsPrintedIntoFilesWhenDescriptorsAreClosed) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  copy_disk(path("disk.img"), path("before.img"));
  for (const std::string closed : {">&-", "2>&-", ">&- 2>&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-"}) {
    SCOPED_TRACE(closed);
    const std::string dump = "exec \"$0\" dump --progress=always disk.img image.qcow2 " + closed;
    EXPECT_EQ(run({"sh", "-c", dump, E2QCOW_PROGRAM}, faulty({"FAULTY_CLOCK=1"})).status, 0);
    expect_restored_as_by_qemu("image.qcow2", "first.raw");
    const std::string restore = "exec \"$0\" restore --progress=always image.qcow2 second.raw " + closed;
    EXPECT_EQ(run({"sh", "-c", restore, E2QCOW_PROGRAM}, faulty({"FAULTY_CLOCK=1"})).status, 0);
    expect_same_bytes("first.raw", "second.raw");
  }
  expect_same_bytes("before.img", "disk.img");
}

TEST_F(CommandLine, ImagesGoThroughPipes) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  for (const char* options : {"", "--compress=none", "--compat=0.10"}) {
    SCOPED_TRACE(options);
    const std::string line = std::string("\"$0\" dump --all ") + options +
                             " disk.img - | tee image.qcow2 | \"$0\" restore - piped.raw";
    const Outcome outcome = run({"sh", "-c", line, E2QCOW_PROGRAM});
    EXPECT_EQ(outcome.status, 0) << outcome;
    expect_restored_as_by_qemu("image.qcow2", "ours.raw");
    expect_same_bytes("ours.raw", "piped.raw");
    expect_same_blocks_in_use("piped.raw");
  }
}

// The signal may come to any thread, and none of them gets on.
TEST_F(CommandLine, ASignalEndsTheWaitForAPipe) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "--compress=none", "disk.img", "image.qcow2"}).status, 0);
  const std::string script =
      "mkfifo pipe; exec 3<>pipe; head -c 700000 image.qcow2 >&3 & "
      "\"$0\" restore --threads 4 - target <pipe & pid=$!; "
      "until grep -q '^SigCgt:.*[4-7c-f]...$' /proc/$pid/status && grep -q '^State:.S' "
      "/proc/$pid/status; "
      "do :; done; "
      "kill -TERM $pid; wait $pid";
  const Outcome outcome = run({"bash", "-c", script, E2QCOW_PROGRAM});
  EXPECT_EQ(outcome.status, 128 + SIGTERM) << outcome;
  EXPECT_NE(outcome.err.find("interrupted"), std::string::npos) << outcome;
  EXPECT_FALSE(fs::exists(path("target")));
}

TEST_F(CommandLine, ASignalThatTheCallerIgnoresIsIgnored) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "--compress=none", "disk.img", "image.qcow2"}).status, 0);
  const std::string script =
      "mkfifo pipe; trap '' HUP; \"$0\" restore -q - target <pipe & pid=$!; exec 3>pipe; "
      "until grep -q '^SigIgn:.*[13579bdf]$' /proc/$pid/status; do :; done; "
      "kill -HUP $pid; cat image.qcow2 >&3; exec 3>&-; wait $pid";
  const Outcome outcome = run({"bash", "-c", script, E2QCOW_PROGRAM});
  EXPECT_EQ(outcome.status, 0) << outcome;
}

TEST_F(CommandLine, APipeThatIsClosedEarlyIsAnError) {
  make_file_system();
  const std::string line =
      "{ \"$0\" dump --all --compress=none disk.img -; echo $? >status; } | head -c 1000";
  const Outcome outcome = run({"sh", "-c", line, E2QCOW_PROGRAM});
  EXPECT_EQ(read_file(path("status")), "4\n");
  EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << outcome.err;
}

TEST_F(CommandLine, AnOlderImageKeepsItsPermissionsAndANewOneIsPrivate) {
  make_file_system();
  EXPECT_EQ(e2qcow({"dump", "disk.img", "image.qcow2"}).status, 0);
  EXPECT_EQ(fs::status(path("image.qcow2")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  fs::permissions(path("image.qcow2"), fs::perms::group_read, fs::perm_options::add);
  EXPECT_EQ(e2qcow({"dump", "disk.img", "image.qcow2"}).status, 0);
  EXPECT_NE(fs::status(path("image.qcow2")).permissions() & fs::perms::group_read, fs::perms::none);
}

TEST_F(CommandLine, TheTargetOfASymbolicLinkIsReplaced) {
  make_file_system();
  fs::create_directory(path("elsewhere"));
  write_file(path("elsewhere/image.qcow2"), "the older one");
  fs::create_symlink("elsewhere/image.qcow2", path("link"));
  EXPECT_EQ(e2qcow({"dump", "disk.img", "link"}).status, 0);
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(names_in(path("elsewhere")), Words{"image.qcow2"});
  expect_qemu_finds_nothing("elsewhere/image.qcow2");
}

class Threads : public FileSystemTest, public ::testing::WithParamInterface<Words> {};

TEST_P(Threads, AnyNumberOfThemGivesTheSameBytes) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  for (const char* number : {"1", "2", "5"}) {
    Words words{"dump", "disk.img", std::string(number) + ".qcow2", "--threads", number};
    words.insert(words.end(), GetParam().begin(), GetParam().end());
    EXPECT_EQ(e2qcow(words).status, 0);
    EXPECT_EQ(
        e2qcow({"restore", std::string(number) + ".qcow2", std::string(number) + ".raw", "--threads", number})
            .status,
        0);
  }
  expect_restored_as_by_qemu("1.qcow2", "1.raw");
  for (const char* number : {"2", "5"}) {
    expect_same_bytes("1.qcow2", std::string(number) + ".qcow2");
    expect_same_bytes("1.raw", std::string(number) + ".raw");
  }
}

INSTANTIATE_TEST_SUITE_P(Dumps, Threads,
                         ::testing::Values(Words{}, Words{"--all"}, Words{"--all", "--compress=none"},
                                           Words{"--all", "--compress=zlib", "--cluster-size=4k"}));

}  // namespace
}  // namespace e2qcow::test
