// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/pipe_file.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/file/output_stream.h"
#include "base/unique_fd.h"
#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/random.h"
#include "tests/support/sizes.h"

namespace e2qcow {
namespace {

// A pipe into which a thread writes the bytes.
class Pipe {
 public:
  explicit Pipe(Bytes bytes) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_errno("pipe");
    out_ = UniqueFd(ends[0]);
    writer_ = std::jthread([in = ends[1], bytes = std::move(bytes)] {
      const UniqueFd closed_at_the_end(in);
      OutputStream(in, "pipe").write(bytes);
    });
  }
  int fd() const { return out_.get(); }

 private:
  UniqueFd out_;
  std::jthread writer_;
};

Bytes read_from(const PipeFile& file, std::uint64_t offset, std::size_t length) {
  Bytes out = filled(length, 0xee);
  file.read(offset, out);
  return out;
}

class PipeFileTest : public testing::Test {
 protected:
  Random random_;
  const Bytes all_ = random_.bytes(5 * kMiB + 123);
  const Pipe pipe_{all_};
  PipeFile file_{pipe_.fd(), "standard input"};

  void expect_part(std::uint64_t offset, std::size_t length) {
    EXPECT_TRUE(read_from(file_, offset, length) == part_of(all_, offset, length)) << offset << "+" << length;
  }
  void TearDown() override { file_.drain(); }
};

TEST_F(PipeFileTest, ReadsForwardAndBackWhileNothingIsForgotten) {
  expect_part(0, 10);
  expect_part(3 * kMiB, 1000);
  expect_part(5, kMiB);
  expect_part(all_.size() - 1, 1);
  expect_part(0, all_.size());
}

TEST_F(PipeFileTest, HasASizeOnceItsEndWasSeen) {
  expect_part(0, 10);
  EXPECT_EQ(file_.size(), PipeFile::kUnknownSize);
  Bytes out(100);
  EXPECT_EQ(file_.read_up_to(all_.size() - 40, out), 40);
  EXPECT_EQ(file_.size(), all_.size());
  EXPECT_EQ(file_.read_up_to(all_.size() + 7, out), 0);
}

TEST_F(PipeFileTest, DoesNotReadPastItsEnd) {
  const Ending ending = ending_of([&] { read_from(file_, all_.size() - 1, 2); });
  EXPECT_EQ(ending.code, Errc::truncated);
  EXPECT_EQ(ending.text, "standard input: it ended early, at 5243003");
}

TEST_F(PipeFileTest, KeepsTheFrontAndAWindowAfterItForgets) {
  expect_part(0, kMiB);
  const std::uint64_t front = file_.position();
  file_.forget(kMiB);
  expect_part(3 * kMiB, kMiB / 2);
  const std::uint64_t position = file_.position();
  expect_part(0, front);
  expect_part(position - kMiB, kMiB);
  EXPECT_EQ(file_.position(), position);
  EXPECT_EQ(code_of([&] { read_from(file_, position - kMiB - 1, 1); }), Errc::refused);
  EXPECT_EQ(code_of([&] { read_from(file_, front, 1); }), Errc::refused);
}

TEST_F(PipeFileTest, ReadsFromTheFrontIntoTheWindow) {
  expect_part(0, kMiB);
  const std::uint64_t front = file_.position();
  file_.forget(kMiB);
  expect_part(front - 1000, 5000);
  expect_part(0, front + kMiB / 2);
}

// No read goes further back than the window, less what the file may have read ahead by then.
TEST_F(PipeFileTest, ReadsAnythingInAWindowOfAnySize) {
  const std::uint64_t window = 300'000 + random_.below(100'000);
  expect_part(0, 1);
  file_.forget(window);
  std::uint64_t reach = file_.position();
  while (reach + 20'000 < all_.size()) {
    reach += random_.below(20'000);
    const std::uint64_t back = random_.below(window - 299'999);
    const std::uint64_t offset = reach - std::min(reach, back);
    expect_part(offset, std::min<std::uint64_t>(20'000, all_.size() - offset));
  }
}

TEST_F(PipeFileTest, DrainsTheRestSoThatTheWriterCanEnd) {
  expect_part(0, 10);
  file_.drain();
  EXPECT_EQ(file_.size(), all_.size());
}

TEST(PipeFile, OfNothingIsEmpty) {
  const Pipe pipe{Bytes()};
  PipeFile file(pipe.fd(), "standard input");
  Bytes out(1);
  EXPECT_EQ(file.read_up_to(0, out), 0);
  EXPECT_EQ(file.size(), 0);
}

}  // namespace
}  // namespace e2qcow
