// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file/read_requests.h"
#include "base/unique_fd.h"

namespace e2qcow {

// Brings the parts of a file that will be read soon into the page cache. The kernel is asked to do it; if
// that proves slow (a network file system that reads a few things at a time), threads read ahead.
class Prefetcher {
 public:
  // Does not own the descriptor.
  explicit Prefetcher(int fd);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // Returns almost at once. May be called by several threads.
  void prefetch(Extent range);

 private:
  void ask_kernel(Extent request);
  void enqueue(Extent range);
  void work();

  int fd_;
  UniqueFd fd_for_hints_;
  std::atomic<int> slowness_{0};  // of the kernel, as measured by the callers
  std::mutex mutex_;              // guards what follows
  std::condition_variable changed_;
  ReadRequests requests_;
  bool ends_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace e2qcow
