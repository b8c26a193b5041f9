// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "qcow2/read/cluster_cache.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace e2qcow::qcow2 {
namespace {

// Fills clusters with their number, and counts.
struct Loader {
  std::vector<std::uint64_t> loaded{};
  ClusterCache::Load load() {
    return [this](std::uint64_t index, std::span<std::byte> out) {
      loaded.push_back(index);
      std::ranges::fill(out, static_cast<std::byte>(index));
    };
  }
};

TEST(ClusterCache, LoadsAClusterOnce) {
  Loader loader;
  ClusterCache cache(4 * 512, 512, loader.load());
  EXPECT_EQ(cache.find(7), nullptr);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cache.get(7)[511], std::byte{7});
  EXPECT_EQ(cache.find(7)[0], std::byte{7});
  EXPECT_EQ(loader.loaded, std::vector<std::uint64_t>{7});
}

TEST(ClusterCache, DropsWhatWasNotUsedForTheLongestTime) {
  Loader loader;
  ClusterCache cache(3 * 512, 512, loader.load());
  for (const std::uint64_t index : {1, 2, 3, 1, 4}) cache.get(index);
  EXPECT_NE(cache.find(1), nullptr);
  EXPECT_EQ(cache.find(2), nullptr);
  EXPECT_NE(cache.find(3), nullptr);
}

TEST(ClusterCache, KeepsWhatIsInUseAliveWhenItIsDropped) {
  Loader loader;
  ClusterCache cache(0, 512, loader.load());
  EXPECT_EQ(cache.capacity(), 2);
  const auto first = cache.get(1);
  for (const std::uint64_t index : {2, 3, 4}) cache.get(index);
  EXPECT_EQ(first[100], std::byte{1});
}

TEST(ClusterCache, TriesAgainAfterAnError) {
  int tries = 0;
  ClusterCache cache(1024, 512, [&](std::uint64_t, std::span<std::byte>) {
    if (++tries == 1) fail(Errc::corrupt, "damaged");
  });
  EXPECT_THROW(cache.get(1), std::system_error);
  EXPECT_EQ(cache.find(1), nullptr);
  EXPECT_NE(cache.get(1), nullptr);
}

TEST(ClusterCache, LetsThreadsWaitForTheOneThatLoads) {
  std::atomic<int> loads{0};
  ClusterCache cache(1 << 20, 512, [&](std::uint64_t index, std::span<std::byte> out) {
    ++loads;
    std::ranges::fill(out, static_cast<std::byte>(index));
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (std::uint64_t index = 0; index < 100; ++index)
          EXPECT_EQ(cache.get(index)[5], static_cast<std::byte>(index));
      });
  }
  EXPECT_EQ(loads, 100);
}

}  // namespace
}  // namespace e2qcow::qcow2
