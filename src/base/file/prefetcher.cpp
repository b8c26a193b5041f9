// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/prefetcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "base/threads.h"

namespace e2qcow {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kSlow = 200us;  // a kernel that takes longer to accept a request is slow
// One slow request may be chance: another program had the processor. More than one in nine is not.
constexpr int kSlowWeight = 8;
constexpr int kFastWeight = -1;
constexpr int kIsSlow = 32;
constexpr unsigned kThreads = 32;  // that wait for a slow device

}  // namespace

// A busy FUSE drops hints that look like the kernel's own read-ahead, as they do on a descriptor that was
// read sequentially. So hints get their own descriptor, if one can be opened.
Prefetcher::Prefetcher(int fd)
    : fd_(fd),
      fd_for_hints_(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}

Prefetcher::~Prefetcher() {
  const std::scoped_lock lock(mutex_);
  ends_ = true;
  requests_.clear();
  changed_.notify_all();
}

// In pieces: Linux drops the part of a hint that exceeds the device's read-ahead, which is seldom smaller
// than a request.
void Prefetcher::prefetch(Extent range) {
  while (!range.empty() && slowness_ < kIsSlow) ask_kernel(take_request(range));
  if (!range.empty()) enqueue(range);
}

void Prefetcher::ask_kernel(Extent request) {
  const auto begin = Clock::now();
  ::posix_fadvise(fd_for_hints_.get() >= 0 ? fd_for_hints_.get() : fd_, static_cast<off_t>(request.offset),
                  static_cast<off_t>(request.length), POSIX_FADV_WILLNEED);
  const bool was_slow = Clock::now() - begin > kSlow;
  if (was_slow || slowness_ > 0) slowness_ += was_slow ? kSlowWeight : kFastWeight;
}

void Prefetcher::enqueue(Extent range) {
  const std::scoped_lock lock(mutex_);
  if (threads_.empty()) start_threads(threads_, kThreads, [this] { work(); });
  for (std::size_t more = requests_.add(range); more > 0; --more) changed_.notify_one();
}

// A reader that needs an unreadable block meets the error again.
void Prefetcher::work() {
  std::vector<std::byte> nowhere(ReadRequests::kMaxBytes);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !requests_.empty(); });
    if (ends_) return;
    const Extent range = requests_.take();
    lock.unlock();
    [[maybe_unused]] const ssize_t unused =
        ::pread(fd_, nowhere.data(), range.length, static_cast<off_t>(range.offset));
    lock.lock();
  }
}

}  // namespace e2qcow
