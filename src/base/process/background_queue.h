// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace e2qcow {

// A thread that does small pieces of work one after the other, while no caller waits; a piece is a number.
// The thread is started with the first piece. Safe from several threads.
class BackgroundQueue {
 public:
  using Work = std::function<void(std::uint64_t)>;

  // `work` must not throw. If `limit` pieces wait, further ones are dropped.
  BackgroundQueue(Work work, std::size_t limit) : work_(std::move(work)), limit_(limit) {}
  ~BackgroundQueue() { stop(); }
  BackgroundQueue(const BackgroundQueue&) = delete;
  BackgroundQueue& operator=(const BackgroundQueue&) = delete;

  void add(std::uint64_t piece) { add(piece, 1); }
  // `count` pieces from `first` on.
  void add(std::uint64_t first, std::uint64_t count);

  // Drops the waiting pieces and ends the thread, as is needed before a fork; the next piece starts a new
  // one.
  void stop();

 private:
  void start();
  void run();

  const Work work_;
  const std::size_t limit_;
  std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  std::deque<std::uint64_t> waiting_;
  bool ends_ = false;
  std::jthread thread_;
};

}  // namespace e2qcow
