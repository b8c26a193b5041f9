// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/spool_file.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kMemory = 3 << 20;

Bytes read_spooled(const ReadableFile& file, std::uint64_t offset, std::size_t length) {
  Bytes bytes(length, std::byte{0xee});
  file.read(offset, bytes);
  return bytes;
}

class SpoolFileTest : public testing::Test {
 protected:
  TempDir directory_;
  SpoolFile spool_{directory_.path(), kMemory};
};

TEST_F(SpoolFileTest, IsInMemoryUntilMoreIsWritten) {
  spool_.resize(100 << 20);
  spool_.write(70 << 20, filled(kMemory - 1, 1));
  spool_.write(0, filled(1, 2));
  EXPECT_TRUE(spool_.is_in_memory());
  spool_.write(1, filled(1, 3));
  EXPECT_FALSE(spool_.is_in_memory());
  EXPECT_EQ(directory_.names(), std::vector<std::string>{});
}

TEST_F(SpoolFileTest, HasTheSameBytesBeforeAndAfter) {
  spool_.write(12345, filled(2 << 20, 1));
  spool_.write(40 << 20, filled(1000, 2));
  spool_.resize(50 << 20);
  for (const bool in_memory : {true, false}) {
    if (!in_memory) spool_.write(20 << 20, filled(kMemory, 3));
    EXPECT_EQ(spool_.is_in_memory(), in_memory);
    EXPECT_EQ(spool_.size(), 50 << 20);
    EXPECT_TRUE(read_spooled(spool_, 12345, 2 << 20) == filled(2 << 20, 1));
    EXPECT_EQ(read_spooled(spool_, 40 << 20, 1000), filled(1000, 2));
    EXPECT_EQ(read_spooled(spool_, 12344, 1), filled(1, 0));
    EXPECT_EQ(read_spooled(spool_, (50 << 20) - 10, 10), Bytes(10));
  }
  EXPECT_TRUE(read_spooled(spool_, 20 << 20, kMemory) == filled(kMemory, 3));
}

TEST_F(SpoolFileTest, NeedsTheDirectoryOnlyThen) {
  SpoolFile spool(directory_.file("missing"), kMemory);
  spool.write(0, filled(kMemory, 1));
  EXPECT_EQ(code_of([&] { spool.write(kMemory, filled(1, 1)); }), std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace e2qcow
