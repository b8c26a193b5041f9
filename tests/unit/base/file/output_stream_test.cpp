// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "base/file/output_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "tests/support/memory_file.h"
#include "tests/support/random.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

// What comes out of a pipe while `write` writes to it, read in odd pieces.
Bytes through_a_pipe(const std::function<void(OutputStream&)>& write) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const UniqueFd reading(ends[0]);
  std::jthread writer([&] {
    const UniqueFd writing(ends[1]);
    OutputStream out(writing.get(), "pipe");
    write(out);
  });
  Bytes bytes;
  Bytes piece(5001);
  for (ssize_t n = 0; (n = ::read(reading.get(), piece.data(), piece.size())) > 0;)
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + n);
  return bytes;
}

TEST(OutputStream, WritesMoreThanAPipeHolds) {
  Random random;
  const Bytes bytes = random.bytes(1'000'003);
  EXPECT_TRUE(through_a_pipe([&](OutputStream& out) {
                out.write(std::span(bytes).first(7));
                out.write(std::span(bytes).subspan(7));
              }) == bytes);
}

TEST(OutputStream, SendsAWholeFile) {
  Random random;
  const MemoryFile file(random.bytes(3'000'001));
  EXPECT_TRUE(through_a_pipe([&](OutputStream& out) { send(file, out); }) == file.data());
}

TEST(OutputStream, WritesToFilesAsItDoesToPipes) {
  const TempDir directory;
  const UniqueFd fd(::open(directory.file("out").c_str(), O_WRONLY | O_CREAT, 0600));
  OutputStream out(fd.get(), "out");
  out.write(text_bytes("one"));
  out.write(text_bytes("two"));
  EXPECT_EQ(read_text(directory.file("out")), "onetwo");
  EXPECT_EQ(out.written(), 6);
}

}  // namespace
}  // namespace e2qcow
