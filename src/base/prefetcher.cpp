// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/prefetcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "base/threads.h"

namespace e2qcow {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kSlow = 200us;             // for the kernel to take note of a range
constexpr unsigned kThreads = 32;         // that wait for a slow device
constexpr std::size_t kMaxQueued = 1024;  // ranges; what does not fit is read when it is needed
constexpr std::uint64_t kPieceBytes = 64 << 10;

}  // namespace

Prefetcher::~Prefetcher() {
  const std::scoped_lock lock(mutex_);
  ends_ = true;
  queue_.clear();
  changed_.notify_all();
}

void Prefetcher::prefetch(Extent range) {
  if (is_slow_.load(std::memory_order_relaxed))
    enqueue(range);
  else
    ask_kernel(range);
}

void Prefetcher::ask_kernel(Extent range) {
  const auto begin = Clock::now();
  ::posix_fadvise(fd_, static_cast<off_t>(range.offset), static_cast<off_t>(range.length),
                  POSIX_FADV_WILLNEED);
  if (Clock::now() - begin > kSlow) is_slow_.store(true, std::memory_order_relaxed);
}

void Prefetcher::enqueue(Extent range) {
  const std::scoped_lock lock(mutex_);
  if (threads_.empty()) start_threads(threads_, kThreads, [this] { work(); });
  while (!range.empty() && queue_.size() < kMaxQueued) {
    const std::uint64_t length = std::min(range.length, kPieceBytes);
    queue_.push_back({range.offset, length});
    range = {range.offset + length, range.length - length};
    changed_.notify_one();
  }
}

// What cannot be read is found again by whoever needs it.
void Prefetcher::work() {
  std::vector<std::byte> nowhere(kPieceBytes);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !queue_.empty(); });
    if (ends_) return;
    const Extent range = queue_.front();
    queue_.pop_front();
    lock.unlock();
    [[maybe_unused]] const ssize_t unused =
        ::pread(fd_, nowhere.data(), range.length, static_cast<off_t>(range.offset));
    lock.lock();
  }
}

}  // namespace e2qcow
