// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/memory_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "tests/support/errors.h"

namespace e2qcow {
namespace {

TEST(StandIn, HasTheSizeOfADiskThatNoFileSystemHolds) {
  const UniqueFd file = open_memory_disk(1ULL << 46);
  struct stat status {};
  ASSERT_EQ(::fstat(file.get(), &status), 0);
  EXPECT_EQ(status.st_size, 1LL << 46);
  EXPECT_TRUE(S_ISREG(status.st_mode));
}

TEST(StandIn, IsWrittenAndCutButDoesNotGrow) {
  const UniqueFd file = open_memory_disk(100'000);
  const std::array<std::byte, 2> data{std::byte{1}, std::byte{2}};
  write_to_memory_disk(file, 4096, data);
  std::array<std::byte, 2> back{};
  EXPECT_EQ(::pread(file.get(), back.data(), back.size(), 4096), 2);
  EXPECT_EQ(back, data);
  EXPECT_TRUE(code_of([&] { write_to_memory_disk(file, 200'000, data); }));
  EXPECT_EQ(::ftruncate(file.get(), 50'000), 0);
}

}  // namespace
}  // namespace e2qcow
