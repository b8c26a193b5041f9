// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libnbd.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nbd/request.h"
#include "nbd/server.h"

namespace e2qcow::nbd {

// What a server says of a disk.
struct Export {
  std::uint64_t size = 0;
  bool is_read_only = false;
  bool can_flush = false;
  bool can_zero = false;
  bool can_share = false;       // several connections are one cache
  bool has_allocation = false;  // and answers questions for it
  // Of requests, in bytes; 0: not said.
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  friend bool operator==(const Export&, const Export&) = default;
};

// One connection to a server, from its beginning to its end. For one thread.
class Handle {
 public:
  // Throws Errc::connection_lost, or Errc::refused if the server, or what it says, will not do. `attempt`
  // chooses the address.
  Handle(const Server& server, std::size_t attempt, Time until);
  // Tells the server that this is the end, unless the connection is broken; waits a second at most.
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const Export& exported() const { return export_; }

  // Asks. False if that is impossible, which has an answer, too; see take_answers().
  void send(const RequestPtr& request);
  // Waits until something happened, or `wakeup` can be read from, or the time has come.
  void wait(int wakeup, Time until);

  struct Answer {
    RequestPtr request;
    int error;  // 0: done
  };
  // Those since the last call.
  std::vector<Answer> take_answers();
  // Those that have no answer.
  std::vector<RequestPtr> under_way() const;
  // When the oldest of them was sent; absent: there is none.
  std::optional<Time> oldest() const;

  // Whether it is of no use any more, and why.
  bool is_broken() const { return !why_broken_.empty(); }
  const std::string& why_broken() const { return why_broken_; }
  // Takes it for broken.
  void abandon(std::string why) { why_broken_ = std::move(why); }

 private:
  struct UnderWay {
    RequestPtr request;
    Time since;
    bool is_answered = false;
    int error = 0;
  };
  struct Close {
    void operator()(nbd_handle* handle) const { ::nbd_close(handle); }
  };

  void connect(const Server& server, std::size_t attempt);
  void finish_handshake(const Server& server, Time until);
  void learn_export(const Server& server);
  std::int64_t send_to_server(UnderWay& under_way);
  void disconnect();
  void note_if_broken();
  static int on_answer(void* under_way, int* error);
  static int on_extents(void* under_way, const char* context, std::uint64_t offset, std::uint32_t* entries,
                        std::size_t count, int* error);

  std::list<UnderWay> under_way_;  // outlives the handle, which refers to it
  std::unique_ptr<nbd_handle, Close> handle_;
  Export export_;
  std::string why_broken_;
};

}  // namespace e2qcow::nbd
