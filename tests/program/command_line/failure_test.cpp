// SPDX-License-Identifier: GPL-2.0-or-later
// Failures: their exit status, and what is said of them to programs.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Failure : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make_file_system();
  }
  // With --json: one object that says what standard error and the status say.
  void expect_json_of_failure(Words words, int status, const Words& environment = {}) const {
    words.emplace_back("--json");
    const Outcome outcome = e2qcow(words, environment);
    EXPECT_EQ(outcome.status, status) << outcome;
    ASSERT_TRUE(json::accept(outcome.out)) << outcome;
    const json said = json::parse(outcome.out);
    EXPECT_EQ(said["status"], status) << outcome;
    EXPECT_EQ(said["error"].get<std::string>() + "\n", outcome.err);
  }
};

TEST_F(Failure, IsAnObjectInJsonToo) {
  for (const Words& words : {Words{"dump", "absent", "image.qcow2"}, Words{"restore", "disk.img", "disk.raw"},
                             Words{"info", "disk.img"}, Words{"check", "disk.img"}, Words{"map", "disk.img"},
                             Words{"measure", "absent"}})
    expect_json_of_failure(words, 1);
  expect_json_of_failure({"compare", "disk.img", "absent"}, 2);
  expect_json_of_failure({"audit", "disk.img", "absent"}, 2);
  expect_json_of_failure({"dump", "no\x1b[31m\xff.img", "image.qcow2"}, 1);
}

TEST_F(Failure, OfTheCommandLineIsAnObjectInJsonToo) {
  expect_json_of_failure({"dump", "--no-such-option", "disk.img", "image.qcow2"}, 2);
  expect_json_of_failure({"dump", "disk.img"}, 2);
  expect_json_of_failure({"info", "--max-size=x", "disk.img"}, 2);
  expect_json_of_failure({"check"}, 1);
  expect_json_of_failure({"compare", "disk.img"}, 2);
}

TEST_F(Failure, BySignalIsAnObjectInJsonToo) {
  const Words environment = faulty({"FAULTY_FILE=" + path("disk.img").string(),
                                    "FAULTY_SIGNAL=" + std::to_string(SIGTERM), "FAULTY_READ=4"});
  expect_json_of_failure({"dump", "--threads=1", "disk.img", "image.qcow2"}, 128 + SIGTERM, environment);
  EXPECT_FALSE(fs::exists(path("image.qcow2")));
}

// The image, or its beginning, is there already.
TEST_F(Failure, SaysNothingWhereAnImageWasToGo) {
  EXPECT_EQ(e2qcow({"dump", "--json", "disk.img", "-"}).out, "");
}

TEST_F(Failure, ThatMayPassHasAStatusOfItsOwn) {
  const Words full = faulty({"FAULTY_WRITE=2"});
  expect_json_of_failure({"dump", "disk.img", "image.qcow2"}, 4, full);
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"}).status, 0);
  expect_json_of_failure({"restore", "image.qcow2", "disk.raw"}, 4, full);
  for (const int error : {ENOTCONN, ECONNRESET, ESTALE})
    expect_json_of_failure({"measure", "disk.img"}, 4,
                           faulty({"FAULTY_FILE=" + path("disk.img").string(), "FAULTY_GONE=3",
                                   "FAULTY_GONE_ERRNO=" + std::to_string(error)}));
  expect_json_of_failure({"measure", "disk.img"}, 1,
                         faulty({"FAULTY_FILE=" + path("disk.img").string(), "FAULTY_GONE=3",
                                 "FAULTY_GONE_ERRNO=" + std::to_string(ENODEV)}));
}

TEST_F(Failure, MayPassIfAnotherProgramHasTheTarget) {
  write_file(path("image.qcow2"), "the older one");
  const int holder = ::open(path("image.qcow2").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(holder, LOCK_EX), 0);
  expect_failure(e2qcow({"dump", "disk.img", "image.qcow2"}), {"image.qcow2: is being written by another"},
                 4);
  ::close(holder);
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "image.qcow2"}).status, 0);
}

// Their statuses are about what they find.
TEST_F(Failure, OfCheckAndCompareKeepsTheirStatuses) {
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"}).status, 0);
  const Words lost = faulty({"FAULTY_FILE=" + path("disk.img").string(), "FAULTY_GONE=3"});
  expect_json_of_failure({"compare", "disk.img", "image.qcow2"}, 2, lost);
  const Words without = faulty({"FAULTY_FILE=" + path("image.qcow2").string(), "FAULTY_GONE=3"});
  expect_json_of_failure({"check", "image.qcow2"}, 1, without);
}

// Several programs for one name: each makes an image, and the last one stays.
TEST_F(Failure, DoesNotComeFromTwoDumpsToOneName) {
  fs::create_directory(path("out"));
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "alone.qcow2"}).status, 0);
  for (int round = 0; round < 5; ++round) {
    const Outcome outcome =
        run({"bash", "-c",
             "for i in 1 2 3 4; do \"$0\" dump -q disk.img out/image.qcow2 & jobs=\"$jobs $!\"; "
             "done; for job in $jobs; do wait $job || echo failed; done",
             E2QCOW_PROGRAM});
    EXPECT_EQ(outcome, (Outcome{0, "", ""}));
    EXPECT_EQ(names_in(path("out")), Words{"image.qcow2"});
    expect_same_bytes("out/image.qcow2", "alone.qcow2");
    if (round % 2 == 0) fs::remove(path("out/image.qcow2"));  // new, and to be replaced
  }
}

// Whichever write it comes at; a file system with O_TMPFILE, and no older image.
TEST_F(Failure, ByAKillLeavesNothing) {
  fs::create_directory(path("out"));
  for (int number = 1;; ++number) {
    const Outcome outcome = e2qcow({"dump", "-q", "disk.img", "out/image.qcow2"},
                                   faulty({"FAULTY_KILL=" + std::to_string(number)}));
    if (outcome.status == 0) break;
    EXPECT_EQ(outcome.status, 128 + SIGKILL);
    EXPECT_EQ(names_in(path("out")), Words{});
    ASSERT_LT(number, 1000);
  }
  EXPECT_EQ(names_in(path("out")), Words{"image.qcow2"});
}

}  // namespace
}  // namespace e2qcow::test
