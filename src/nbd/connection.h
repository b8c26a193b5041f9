// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include "nbd/handle.h"
#include "nbd/options.h"
#include "nbd/request_queue.h"

namespace e2qcow::nbd {

// A thread that passes requests from the queue to a server, and connects again if that is lost.
class Connection {
 public:
  // Server and queue must outlive it. The queue ends it.
  Connection(const Server& server, RequestQueue& queue, const Options& options,
             std::unique_ptr<Handle> handle);

  // Once, when the program has given up the rights that it does not need.
  void start();

 private:
  void run() noexcept;
  void serve();
  void report_answers();
  void wait_for_event();
  bool reconnect();
  bool connect_once(Time deadline);
  void give_up();
  void pause(Time until);

  const Server& server_;
  RequestQueue& queue_;
  const Options options_;
  const Export expected_;
  RequestQueue::Taker taker_;
  std::unique_ptr<Handle> handle_;
  std::size_t attempts_ = 0;
  std::optional<Time> lost_since_;  // absent: there were answers since
  std::string why_lost_;
  std::jthread thread_;
};

}  // namespace e2qcow::nbd
