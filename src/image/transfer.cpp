// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "base/extents.h"
#include "base/stop.h"
#include "base/threads.h"
#include "image/batch_planner.h"

namespace e2qcow {
namespace {

// Of all batches: enough for 48 of them, so that more threads than that gain nothing.
constexpr std::uint64_t kMemory = 96 << 20;

// Two for each thread, as far as the memory allows. A batch has its bytes and, at most, as many packed ones.
unsigned batches_for(unsigned threads, std::uint64_t capacity) {
  constexpr std::uint64_t kFewest = 2;
  const std::uint64_t fitting = std::max(kFewest, kMemory / (2 * capacity));
  return static_cast<unsigned>(std::min<std::uint64_t>(2ULL * threads, fitting));
}

// Batches pass three stages: planned in order (one thread at a time), filled and packed (all threads at
// once), appended in order (one thread at a time). A thread that has packed a batch appends all batches that
// are due and continues; batches that are packed too early wait in `ready_`. The number of batches bounds the
// memory.
class Pipeline {
 public:
  Pipeline(const ImageSource& source, ImageSink& sink, const TransferOptions& options)
      : source_(source),
        sink_(sink),
        progress_(options.progress),
        planner_(source, sink.granularity()),
        batches_(batches_for(std::max(1U, options.threads), planner_.capacity())),
        threads_(std::min(std::max(1U, options.threads), batches_)) {
    for (unsigned i = 0; i < batches_; ++i) free_.push_back(std::make_unique<Batch>());
  }

  void run() {
    run_threads(
        threads_, [this] { work(); }, [this] { stop(); });
  }

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Job {
    std::unique_ptr<Batch> batch;
    std::uint64_t number;
  };

  void work() {
    while (auto job = plan()) {
      throw_if_stopped();
      fill(*job->batch, source_);
      sink_.pack(*job->batch);
      find_shareable(*job->batch, source_);
      hand_in(std::move(*job));
    }
  }

  void stop() {
    const Lock lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }

  std::optional<Job> plan() {
    Lock lock(mutex_);
    // The batch that is due next is never among those waited for: a thread is working on it.
    changed_.wait(lock, [this] { return is_over_ || (!free_.empty() && !planning_); });
    if (is_over_ || planned_all_) return std::nullopt;
    planning_ = true;
    Job job{std::move(free_.back()), planned_};
    free_.pop_back();
    lock.unlock();
    const bool more = plan_unlocked(*job.batch);
    lock.lock();
    planning_ = false;
    changed_.notify_all();
    if (!more) {
      planned_all_ = true;
      return std::nullopt;
    }
    ++planned_;
    return job;
  }

  bool plan_unlocked(Batch& batch) {
    try {
      return planner_.next(batch);
    } catch (...) {
      const Lock lock(mutex_);
      planning_ = false;
      throw;
    }
  }

  void hand_in(Job job) {
    Lock lock(mutex_);
    ready_.emplace(job.number, std::move(job.batch));
    if (appending_) return;
    appending_ = true;
    while (!is_over_ && !ready_.empty() && ready_.begin()->first == appended_) {
      auto batch = std::move(ready_.extract(ready_.begin()).mapped());
      lock.unlock();
      const bool more = append(*batch);
      lock.lock();
      is_over_ = is_over_ || !more;
      ++appended_;
      free_.push_back(std::move(batch));
      changed_.notify_all();
    }
    appending_ = false;
  }

  // False if the sink needs no more.
  bool append(const Batch& batch) {
    sink_.append(batch);
    if (progress_ != nullptr) progress_->advance(total_length(batch.reads));
    return sink_.wants_more();
  }

  const ImageSource& source_;
  ImageSink& sink_;
  Progress* progress_;
  BatchPlanner planner_;  // used by the thread that has set planning_
  const unsigned batches_;
  const unsigned threads_;

  std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Batch>> free_;
  std::map<std::uint64_t, std::unique_ptr<Batch>> ready_;  // by number, packed
  std::uint64_t planned_ = 0;                              // batches
  std::uint64_t appended_ = 0;
  bool planning_ = false;
  bool appending_ = false;
  bool planned_all_ = false;
  bool is_over_ = false;  // after an error, or if the sink needs no more
};

}  // namespace

void transfer(const ImageSource& source, ImageSink& sink, const TransferOptions& options) {
  Pipeline(source, sink, options).run();
  throw_if_stopped();
  sink.finish();
}

}  // namespace e2qcow
