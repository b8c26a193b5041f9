// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <vector>

#include "base/process/wakeup.h"
#include "nbd/request.h"
#include "nbd/unflushed_writes.h"

namespace e2qcow::nbd {

// What threads ask of a server, on its way to the connections, which take it and report. A connection that is
// lost gives back what it had. Everything that was written and not flushed is then asked again as well,
// because a server that was started again may have forgotten it. Safe from several threads.
class RequestQueue {
 public:
  enum class Urgency { now, soon };

  // `can_flush`: if not, what is answered is safe.
  explicit RequestQueue(bool can_flush) : can_flush_(can_flush) {}

  // For who has requests. All throw what fail() was told.
  void add(const RequestPtr& request, Urgency urgency);
  // Until it is answered.
  void wait(const RequestPtr& request);
  // Returns while others are under way, but waits as long as these are many, or if it overlaps one of them.
  void write(const RequestPtr& request);
  // Until nothing in the range is being written.
  void wait_for_writes(Extent range);
  // Until all is written and flushed.
  void sync();

  // For connections.
  struct Taker {
    Wakeup wakeup{};  // is notified when there may be something to take
    std::size_t under_way = 0;
    bool is_connected = false;
    bool waits = false;  // has found nothing to take
    unsigned epoch = 0;  // in which it was connected
  };
  void join(Taker& taker);
  // It will take no more. If it was the last one, that is the end, and this the reason.
  void leave(Taker& taker, std::exception_ptr why);
  // Null if there is nothing, or the taker has enough.
  RequestPtr take(Taker& taker);
  // Whether another connection was lost when something was written: this one may be to a server that is gone
  // by now, and what it still answers counts for nothing. It is to be made again.
  bool is_outdated(const Taker& taker);
  // Whether there is something for a connection to do.
  bool has_work();
  void answered(Taker& taker, const RequestPtr& request, int error);
  // The connection of the taker is gone, and so are the answers to these. False if that happens again and
  // again without an answer in between.
  bool lost(Taker& taker, const std::vector<RequestPtr>& requests);
  void connected(Taker& taker);
  // Nothing can be had from the server any more.
  void fail(std::exception_ptr error);
  // No more requests will come.
  void end();
  bool is_over();

 private:
  using Lock = std::unique_lock<std::mutex>;

  void check(const Lock& lock) const;
  template <typename Condition>
  void wait_until(Lock& lock, Condition condition);
  void add_locked(const RequestPtr& request, Urgency urgency);
  void wake_one();
  RequestPtr next();
  RequestPtr new_flush();
  bool flush_is_due() const;
  std::size_t most_for_each() const;
  void note_progress();
  void note_answer_to_flush();
  void ask_again(const RequestPtr& request);
  void note_loss();

  const bool can_flush_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<RequestPtr> urgent_;  // both with some that wait no longer
  std::deque<RequestPtr> others_;
  std::vector<Taker*> takers_;
  std::size_t window_ = kWindow;  // requests under way; fewer on a connection that is lost often
  std::size_t progress_ = 0;      // answers since it was changed
  unsigned losses_in_a_row_ = 0;
  unsigned epoch_ = 0;  // losses when something was written
  std::exception_ptr failure_;
  bool is_over_ = false;

  UnflushedWrites writes_;
  std::size_t written_ = 0;           // of them answered
  std::size_t writes_under_way_ = 0;  // the others
  RequestPtr flush_;                  // under way; null: none
  std::vector<RequestPtr> flushing_;  // what it makes safe
  bool sync_is_wanted_ = false;

  static constexpr std::size_t kWindow = 64;
};

}  // namespace e2qcow::nbd
