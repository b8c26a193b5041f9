// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/background_queue.h"

#include <system_error>

#include "base/process/block_signals.h"

namespace e2qcow {

void BackgroundQueue::add(std::uint64_t first, std::uint64_t count) {
  const std::scoped_lock lock(mutex_);
  if (ends_) return;
  for (std::uint64_t i = 0; i < count && waiting_.size() < limit_; ++i) waiting_.push_back(first + i);
  if (waiting_.empty()) return;
  if (!thread_.joinable()) start();
  changed_.notify_one();
}

// If the system grants no thread, the caller that needs the work does it.
void BackgroundQueue::start() {
  try {
    const BlockSignals blocked;
    thread_ = std::jthread([this] { run(); });
  } catch (const std::system_error&) {
    waiting_.clear();
  }
}

void BackgroundQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
    if (ends_) return;
    const std::uint64_t piece = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    work_(piece);
    lock.lock();
  }
}

void BackgroundQueue::stop() {
  std::jthread ending;
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
    waiting_.clear();
    ending = std::move(thread_);
    changed_.notify_all();
  }
  if (ending.joinable()) ending.join();
  const std::scoped_lock lock(mutex_);
  ends_ = false;
}

}  // namespace e2qcow
