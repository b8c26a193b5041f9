// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "base/file/prefetcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/unique_fd.h"
#include "tests/support/bytes.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

// Hints change nothing that can be seen; what is tested is that none of them does harm.
TEST(Prefetcher, TakesAnyHintAndEndsWhileThereAreMore) {
  const TempDir directory;
  write_text(directory.file("disk"), std::string(1 << 20, 'x'));
  const UniqueFd fd(::open(directory.file("disk").c_str(), O_RDONLY | O_CLOEXEC));
  Prefetcher prefetcher(fd.get());
  for (std::uint64_t offset = 0; offset < 5 << 20; offset += 1000) prefetcher.prefetch({offset, 100'000});
  prefetcher.prefetch({0, 0});
  prefetcher.prefetch({~0ULL - 10, 5});
}

TEST(Prefetcher, MindsNoFileThatCannotBeRead) {
  Prefetcher prefetcher(-1);
  for (int i = 0; i < 100; ++i) prefetcher.prefetch({0, 4096});
}

}  // namespace
}  // namespace e2qcow
