// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/connection.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/process/block_signals.h"
#include "base/stop.h"

namespace e2qcow::nbd {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kLongestAttempt(10);  // to connect again
constexpr milliseconds kFirstPause(50);              // between attempts; then longer ones
constexpr milliseconds kLongestPause(1000);
constexpr std::chrono::seconds kIdle(60);

Time now() {
  return std::chrono::steady_clock::now();
}

const char* name_of(Request::Kind kind) {
  switch (kind) {
    case Request::Kind::read:
      return "read";
    case Request::Kind::write:
      return "write";
    case Request::Kind::zero:
      return "write zeros";
    case Request::Kind::flush:
      return "flush";
    case Request::Kind::allocation:
      return "ask for the allocation";
  }
  return "";
}

std::exception_ptr failure_of(const Server& server, const Request& request, int error) {
  return std::make_exception_ptr(std::system_error(
      error, std::generic_category(),
      fmt::format("{}: {} at {}", server.name(), name_of(request.kind), request.range.offset)));
}

std::exception_ptr failure(Errc code, const std::string& text) {
  try {
    fail(code, text);
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

Connection::Connection(const Server& server, RequestQueue& queue, const Options& options,
                       std::unique_ptr<Handle> handle)
    : server_(server),
      queue_(queue),
      options_(options),
      expected_(handle->exported()),
      handle_(std::move(handle)) {
  queue_.join(taker_);
}

void Connection::start() {
  const BlockSignals blocked;
  thread_ = std::jthread([this] { run(); });
}

void Connection::run() noexcept {
  try {
    do {
      serve();
    } while (!queue_.is_over() && reconnect());
  } catch (...) {
    queue_.fail(std::current_exception());
  }
  handle_.reset();
}

// Until the connection breaks, or no more requests will come.
void Connection::serve() {
  while (!queue_.is_over()) {
    taker_.wakeup.clear();
    if (queue_.is_outdated(taker_)) handle_->abandon("another connection was lost");
    while (!handle_->is_broken()) {
      const RequestPtr request = queue_.take(taker_);
      if (!request) break;
      handle_->send(request);
    }
    report_answers();
    if (handle_->is_broken()) break;
    wait_for_event();
    report_answers();
    if (handle_->is_broken()) break;
  }
}

void Connection::wait_for_event() {
  const auto oldest = handle_->oldest();
  const Time deadline = oldest ? *oldest + options_.timeout : now() + kIdle;
  handle_->wait(taker_.wakeup.fd(), deadline);
  if (oldest && now() >= deadline && handle_->oldest() == oldest)
    handle_->abandon(fmt::format("no reply for {} seconds", options_.timeout.count()));
}

void Connection::report_answers() {
  for (const auto& [request, error] : handle_->take_answers()) {
    lost_since_.reset();
    const bool is_change = request->changes_disk() || request->kind == Request::Kind::flush;
    if (is_change && error != 0) queue_.fail(failure_of(server_, *request, error));
    queue_.answered(taker_, request, error);
  }
}

// Only when there is something to do. False if there is no server any more.
bool Connection::reconnect() {
  why_lost_ = handle_->why_broken();
  const std::vector<RequestPtr> requests = handle_->under_way();
  handle_.reset();  // it may write to their buffers until then
  const bool goes_on = queue_.lost(taker_, requests);
  milliseconds between = kFirstPause;
  while (goes_on && !queue_.is_over()) {
    while (!queue_.has_work() && !queue_.is_over()) pause(now() + kIdle);
    if (!lost_since_) lost_since_ = now();
    const Time deadline = *lost_since_ + options_.reconnect;
    if (now() >= deadline) break;
    if (connect_once(deadline)) return true;
    pause(std::min(deadline, now() + between));
    between = std::min(2 * between, kLongestPause);
  }
  if (!queue_.is_over()) give_up();
  return false;
}

void Connection::pause(Time until) {
  std::array waited{Waited{.fd = taker_.wakeup.fd(), .to_read = true}};
  if (!queue_.has_work() || queue_.is_over()) {
    wait_for_any(waited, until);
    taker_.wakeup.clear();
    return;
  }
  wait_for_any({}, until);
}

bool Connection::connect_once(Time deadline) {
  try {
    handle_ = std::make_unique<Handle>(server_, attempts_++, std::min(deadline, now() + kLongestAttempt));
  } catch (const std::system_error& error) {
    const bool has_command_ended = server_.command() != nullptr && !server_.command()->end().empty();
    if (error.code() == Errc::interrupted || has_command_ended) throw;
    why_lost_ = error.what();
    return false;
  }
  if (handle_->exported() != expected_)
    fail(Errc::refused, fmt::format("{}: the server has another disk now ({} bytes; {} before)",
                                    server_.name(), handle_->exported().size, expected_.size));
  queue_.connected(taker_);
  return true;
}

void Connection::give_up() {
  const bool is_reason_complete = why_lost_.starts_with(server_.name());
  queue_.leave(taker_, failure(Errc::connection_lost,
                               fmt::format("{}: {}", is_reason_complete ? why_lost_ : server_.name(),
                                           is_reason_complete ? "the connection was lost before"
                                                              : "the connection was lost: " + why_lost_)));
}

}  // namespace e2qcow::nbd
