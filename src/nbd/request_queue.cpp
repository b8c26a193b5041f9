// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/request_queue.h"

#include <e2qcow/error.h>

#include <algorithm>

#include "base/stop.h"

namespace e2qcow::nbd {
namespace {

constexpr std::size_t kMostHints = 1024;      // that wait
constexpr std::size_t kMostUnflushed = 4096;  // writes
constexpr std::uint64_t kMostUnflushedBytes = 64 << 20;
constexpr unsigned kMostLossesInARow = 20;
// A signal wakes nobody who waits here; connections notice it, but may be waiting for a name service.
constexpr std::chrono::milliseconds kLook(200);

}  // namespace

void RequestQueue::check(const Lock& /*lock*/) const {
  throw_if_stopped();
  if (failure_) std::rethrow_exception(failure_);
}

template <typename Condition>
void RequestQueue::wait_until(Lock& lock, Condition condition) {
  check(lock);
  while (!condition()) {
    changed_.wait_for(lock, kLook);
    check(lock);
  }
}

// One that has answers to look at comes back by itself.
void RequestQueue::wake_one() {
  Taker* best = nullptr;
  for (Taker* taker : takers_)
    if (taker->is_connected && (best == nullptr || taker->under_way < best->under_way)) best = taker;
  if (best != nullptr) {
    if (best->waits && best->under_way < most_for_each()) best->wakeup.notify();
    return;
  }
  for (const Taker* taker : takers_) taker->wakeup.notify();
}

void RequestQueue::add_locked(const RequestPtr& request, Urgency urgency) {
  if (urgency == Urgency::now && request->is_urgent) return;
  request->is_urgent = urgency == Urgency::now;
  (request->is_urgent ? urgent_ : others_).push_back(request);
  wake_one();
}

void RequestQueue::add(const RequestPtr& request, Urgency urgency) {
  const Lock lock(mutex_);
  check(lock);
  if (urgency == Urgency::soon && others_.size() >= kMostHints) urgency = Urgency::now;
  add_locked(request, urgency);
}

// What somebody waits for goes first.
void RequestQueue::wait(const RequestPtr& request) {
  Lock lock(mutex_);
  if (request->state == Request::State::waiting) add_locked(request, Urgency::now);
  wait_until(lock, [&] { return request->is_answered(); });
}

void RequestQueue::write(const RequestPtr& request) {
  Lock lock(mutex_);
  const std::uint64_t most_bytes = std::max(kMostUnflushedBytes, request->range.length);
  // The order of two writes to one place is the server's, unless one is flushed before the other.
  wait_until(lock, [&] {
    sync_is_wanted_ = writes_.overlaps(request->range) || writes_.count() >= kMostUnflushed ||
                      writes_.bytes() + request->range.length > most_bytes;
    if (sync_is_wanted_ && flush_is_due()) wake_one();
    return !sync_is_wanted_ && writes_under_way_ < kWindow;
  });
  writes_.add(request);
  ++writes_under_way_;
  add_locked(request, Urgency::soon);
}

void RequestQueue::wait_for_writes(Extent range) {
  Lock lock(mutex_);
  wait_until(lock, [&] { return !writes_.is_being_written(range); });
}

void RequestQueue::sync() {
  Lock lock(mutex_);
  wait_until(lock, [&] {
    sync_is_wanted_ = !writes_.empty();
    if (flush_is_due()) wake_one();
    return writes_.empty();
  });
}

void RequestQueue::join(Taker& taker) {
  const Lock lock(mutex_);
  taker.is_connected = true;
  taker.epoch = epoch_;
  takers_.push_back(&taker);
}

void RequestQueue::leave(Taker& taker, std::exception_ptr why) {
  const Lock lock(mutex_);
  std::erase(takers_, &taker);
  if (takers_.empty() && !failure_) failure_ = std::move(why);
  changed_.notify_all();
  wake_one();
}

void RequestQueue::connected(Taker& taker) {
  const Lock lock(mutex_);
  taker.is_connected = true;
  taker.epoch = epoch_;
}

bool RequestQueue::is_outdated(const Taker& taker) {
  const Lock lock(mutex_);
  return taker.epoch != epoch_;
}

std::size_t RequestQueue::most_for_each() const {
  const auto connected = static_cast<std::size_t>(std::ranges::count(takers_, true, &Taker::is_connected));
  const std::size_t count = std::max<std::size_t>(1, connected);
  return (window_ + count - 1) / count;
}

// Before a connection that is lost often is lost again; otherwise before too much has to be remembered.
bool RequestQueue::flush_is_due() const {
  if (!can_flush_ || flush_ || written_ == 0) return false;
  if (sync_is_wanted_ && writes_under_way_ == 0) return true;
  return window_ < kWindow ? written_ >= window_
                           : written_ >= kMostUnflushed / 2 || writes_.bytes() >= kMostUnflushedBytes / 2;
}

RequestPtr RequestQueue::new_flush() {
  flush_ = new_request(Request::Kind::flush, {});
  flushing_ = writes_.answered();
  return flush_;
}

RequestPtr RequestQueue::next() {
  if (flush_is_due()) return new_flush();
  for (auto* queue : {&urgent_, &others_})
    while (!queue->empty()) {
      const RequestPtr request = std::move(queue->front());
      queue->pop_front();
      if (request->state == Request::State::waiting) return request;
    }
  return nullptr;
}

RequestPtr RequestQueue::take(Taker& taker) {
  const Lock lock(mutex_);
  taker.waits = true;
  if (is_over_ || failure_ || taker.epoch != epoch_ || taker.under_way >= most_for_each()) return nullptr;
  RequestPtr request = next();
  if (!request) return nullptr;
  taker.waits = false;
  request->state = Request::State::under_way;
  ++taker.under_way;
  return request;
}

bool RequestQueue::has_work() {
  const Lock lock(mutex_);
  return !urgent_.empty() || !others_.empty() || flush_is_due() || sync_is_wanted_;
}

void RequestQueue::note_progress() {
  losses_in_a_row_ = 0;
  if (window_ == kWindow || ++progress_ < 2 * window_) return;
  window_ = std::min(2 * window_, kWindow);
  progress_ = 0;
}

void RequestQueue::note_answer_to_flush() {
  writes_.forget(flushing_);
  written_ -= flushing_.size();
  flushing_.clear();
  flush_ = nullptr;
  note_progress();
}

void RequestQueue::answered(Taker& taker, const RequestPtr& request, int error) {
  const Lock lock(mutex_);
  --taker.under_way;
  if (taker.epoch != epoch_ && request->kind == Request::Kind::flush) return;
  if (taker.epoch != epoch_ && request->changes_disk()) return ask_again(request);
  request->error = error;
  request->state.store(Request::State::answered, std::memory_order_release);
  if (request == flush_ && error == 0) note_answer_to_flush();
  if (request->changes_disk()) {
    --writes_under_way_;
    ++written_;
    if (!can_flush_) {
      writes_.forget({request});
      --written_;
    }
  }
  if (request->kind != Request::Kind::flush && !request->changes_disk()) note_progress();
  changed_.notify_all();
}

void RequestQueue::ask_again(const RequestPtr& request) {
  request->state = Request::State::waiting;
  request->is_urgent = true;
  urgent_.push_back(request);
}

bool RequestQueue::lost(Taker& taker, const std::vector<RequestPtr>& requests) {
  const Lock lock(mutex_);
  taker.under_way = 0;
  taker.is_connected = false;
  if (taker.epoch == epoch_) note_loss();
  for (const RequestPtr& request : requests)
    if (request->kind != Request::Kind::flush) ask_again(request);
  if (!urgent_.empty()) wake_one();
  return losses_in_a_row_ <= kMostLossesInARow;
}

void RequestQueue::note_loss() {
  ++losses_in_a_row_;
  window_ = std::max<std::size_t>(1, window_ / 2);
  progress_ = 0;
  if (writes_.empty()) return;
  ++epoch_;
  for (const RequestPtr& write : writes_.answered()) ask_again(write);
  writes_under_way_ += written_;
  written_ = 0;
  flush_ = nullptr;  // even if another connection has it
  flushing_.clear();
  for (const Taker* taker : takers_) taker->wakeup.notify();
}

void RequestQueue::fail(std::exception_ptr error) {
  const Lock lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  changed_.notify_all();
  for (const Taker* taker : takers_) taker->wakeup.notify();
}

void RequestQueue::end() {
  const Lock lock(mutex_);
  is_over_ = true;
  for (const Taker* taker : takers_) taker->wakeup.notify();
}

bool RequestQueue::is_over() {
  const Lock lock(mutex_);
  return is_over_ || failure_;
}

}  // namespace e2qcow::nbd
