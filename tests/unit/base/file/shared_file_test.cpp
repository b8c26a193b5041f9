// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/shared_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file/temporary_file.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

TEST(SharedFile, IsOneWithoutAName) {
  const auto temporary = open_temporary_file();
  EXPECT_TRUE(is_shared_file(name_for_others(temporary->fd())));
  const TempDir directory;
  write_text(directory.file("named"), "text");
  EXPECT_FALSE(is_shared_file(directory.file("named")));
  EXPECT_FALSE(is_shared_file(directory.file("missing")));
  EXPECT_FALSE(is_shared_file("/dev/null"));
  EXPECT_FALSE(is_shared_file(""));
}

TEST(SharedFile, IsMarkedByAnotherProcess) {
  const UniqueFd file = create_unmarked_file();
  EXPECT_FALSE(is_marked(file));
  const std::string name = name_for_others(file.get());
  const pid_t child = ::fork();
  if (child == 0) {
    mark_shared_file(name);
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(is_marked(file));
  mark_shared_file("/no/such/file");
  EXPECT_FALSE(is_marked(UniqueFd()));
}

TEST(SharedFile, IsLockedUntilItIsClosed) {
  const UniqueFd file = create_unmarked_file();
  const std::string name = name_for_others(file.get());
  for (int round = 0; round < 2; ++round) EXPECT_GE(lock_shared_file(name).get(), 0);
  EXPECT_LT(lock_shared_file("/no/such/file").get(), 0);
}

}  // namespace
}  // namespace e2qcow
