// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/disk_file.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/memory_source.h"

namespace e2qcow {
namespace {

TEST(DiskFile, ReadsTheDiskWithItsZeros) {
  MemorySource source(bytes_of({0, 0, 3, 4}), {{2, 2}});
  const DiskFile file(source, "fs.qcow2");
  EXPECT_EQ(file.size(), 4);
  EXPECT_EQ(file.name(), "fs.qcow2");
  Bytes out(3);
  file.read(1, out);
  EXPECT_EQ(out, bytes_of({0, 3, 4}));
}

TEST(DiskFile, ReadsNothingPastTheEndOfTheDisk) {
  MemorySource source(Bytes(4), {});
  const DiskFile file(source, "fs.qcow2");
  Bytes out(2);
  EXPECT_EQ(code_of([&] { file.read(3, out); }), Errc::truncated);
  EXPECT_EQ(code_of([&] { file.read(5, out); }), Errc::truncated);
  EXPECT_EQ(code_of([&] { file.read(~0ULL, out); }), Errc::truncated);
}

}  // namespace
}  // namespace e2qcow
