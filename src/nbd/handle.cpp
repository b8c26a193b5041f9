// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/handle.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/stop.h"
#include "nbd/allocation.h"

namespace e2qcow::nbd {
namespace {

// Without the function that failed, which is of no interest.
std::string last_error() {
  const char* text = ::nbd_get_error();
  if (text == nullptr) return "the server has closed the connection";
  const char* colon = std::strstr(text, ": ");
  return std::string(text).starts_with("nbd_") && colon != nullptr ? colon + 2 : text;
}

// Those after which another attempt may succeed.
constexpr int kTransient[] = {ECONNREFUSED, ECONNRESET,  ECONNABORTED, ENOTCONN, EPIPE,    ETIMEDOUT,
                              EHOSTUNREACH, ENETUNREACH, ENOENT,       EAGAIN,   ENETDOWN, EHOSTDOWN};

// What the server itself says will be said again: it has no such export, or who it is does not hold.
bool is_final(int error, const std::string& reason) {
  return (error == ENOENT && reason.starts_with("handshake: ")) ||
         reason.find("certificate") != std::string::npos;
}

[[noreturn]] void fail_to_connect(const Server& server) {
  const int error = ::nbd_get_errno();
  const std::string reason = last_error();
  const std::string end = server.command() != nullptr ? server.command()->end(1000) : "";
  if (!end.empty()) fail(Errc::refused, fmt::format("{}: {}", server.name(), end));
  const bool may_pass = error == 0 || std::ranges::count(kTransient, error) > 0;
  const bool is_transient = may_pass && !is_final(error, reason);
  fail(is_transient ? Errc::connection_lost : Errc::refused,
       fmt::format("{}: no connection: {}", server.name(), reason));
}

std::uint64_t block_size(nbd_handle* handle, int which) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, ::nbd_get_block_size(handle, which)));
}

}  // namespace

Handle::Handle(const Server& server, std::size_t attempt, Time until) : handle_(::nbd_create()) {
  if (!handle_) fail(Errc::refused, "libnbd: " + last_error());
  ::nbd_set_uri_allow_local_file(handle_.get(), true);
  ::nbd_add_meta_context(handle_.get(), LIBNBD_CONTEXT_BASE_ALLOCATION);
  ::nbd_set_pread_initialize(handle_.get(), false);
  connect(server, attempt);
  finish_handshake(server, until);
  learn_export(server);
}

Handle::~Handle() {
  try {
    if (!is_broken()) disconnect();
  } catch (const std::exception&) {  // the program is stopped: the server will see that it is gone
  }
}

// Servers take a connection that just ends for an accident, and some do not survive it (nbdkit 1.32).
void Handle::disconnect() {
  constexpr std::chrono::seconds kPatience(1);
  const Time until = std::chrono::steady_clock::now() + kPatience;
  if (::nbd_aio_disconnect(handle_.get(), 0) != 0) return;
  while (!is_broken() && std::chrono::steady_clock::now() < until) wait(-1, until);
}

void Handle::connect(const Server& server, std::size_t attempt) {
  if (server.command() == nullptr) {
    const std::string& uri = server.uris()[attempt % server.uris().size()];
    if (::nbd_aio_connect_uri(handle_.get(), uri.c_str()) != 0) fail_to_connect(server);
    return;
  }
  try {
    if (::nbd_aio_connect_socket(handle_.get(), server.command()->connect().release()) == 0) return;
  } catch (const std::system_error& error) {
    const std::string end = server.command()->end(1000);
    fail(Errc::refused, fmt::format("{}: {}", server.name(), end.empty() ? error.what() : end));
  }
  fail_to_connect(server);
}

void Handle::finish_handshake(const Server& server, Time until) {
  while (::nbd_aio_is_ready(handle_.get()) != 1) {
    if (std::chrono::steady_clock::now() >= until)
      fail(Errc::connection_lost, server.name() + ": no connection: the server does not answer");
    wait(-1, until);
    if (is_broken()) fail_to_connect(server);
  }
}

void Handle::learn_export(const Server& server) {
  nbd_handle* handle = handle_.get();
  const std::int64_t size = ::nbd_get_size(handle);
  if (size <= 0 || size % static_cast<std::int64_t>(kSector) != 0)
    fail(Errc::refused,
         fmt::format("{}: the server says that the disk has {} bytes, which is not a number of "
                     "sectors of {}",
                     server.name(), size, kSector));
  export_ = {.size = static_cast<std::uint64_t>(size),
             .is_read_only = ::nbd_is_read_only(handle) == 1,
             .can_flush = ::nbd_can_flush(handle) == 1,
             .can_zero = ::nbd_can_zero(handle) == 1,
             .can_share = ::nbd_can_multi_conn(handle) == 1,
             .has_allocation = ::nbd_can_meta_context(handle, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1,
             .least = block_size(handle, LIBNBD_SIZE_MINIMUM),
             .most = block_size(handle, LIBNBD_SIZE_MAXIMUM)};
  constexpr std::uint64_t kLargestLeast = 64 << 10;  // of the protocol
  if ((export_.least & (export_.least - 1)) != 0 || export_.least > kLargestLeast)
    fail(Errc::refused, fmt::format("{}: the server wants blocks of {} bytes", server.name(), export_.least));
}

int Handle::on_answer(void* under_way, int* error) {
  auto& which = *static_cast<UnderWay*>(under_way);
  which.is_answered = true;
  which.error = *error;
  return 1;
}

int Handle::on_extents(void* under_way, const char* /*context*/, std::uint64_t offset, std::uint32_t* entries,
                       std::size_t count, int* /*error*/) {
  Request& request = *static_cast<UnderWay*>(under_way)->request;
  request.fault = read_allocation(offset, {entries, count}, request.allocation);
  return 0;
}

std::int64_t Handle::send_to_server(UnderWay& under_way) {
  nbd_handle* handle = handle_.get();
  const Request& request = *under_way.request;
  const auto [offset, length] = request.range;
  const nbd_completion_callback done{&Handle::on_answer, &under_way, nullptr};
  switch (request.kind) {
    case Request::Kind::read:
      return ::nbd_aio_pread(handle, request.bytes.get(), length, offset, done, 0);
    case Request::Kind::write:
      return ::nbd_aio_pwrite(handle, request.bytes.get(), length, offset, done, 0);
    case Request::Kind::zero:
      return ::nbd_aio_zero(handle, length, offset, done, request.may_punch ? 0 : LIBNBD_CMD_FLAG_NO_HOLE);
    case Request::Kind::flush:
      return ::nbd_aio_flush(handle, done, 0);
    case Request::Kind::allocation:
      return ::nbd_aio_block_status(handle, length, offset, {&Handle::on_extents, &under_way, nullptr}, done,
                                    0);
  }
  return -1;
}

void Handle::send(const RequestPtr& request) {
  UnderWay& sent = under_way_.emplace_back(UnderWay{request, std::chrono::steady_clock::now()});
  if (send_to_server(sent) >= 0) return;
  const int error = ::nbd_get_errno();
  note_if_broken();
  if (is_broken() || sent.is_answered) return;
  sent.is_answered = true;
  sent.error = error == 0 ? EIO : error;
}

// A dead handle answers everything with EINVAL, which is no answer of the server.
void Handle::note_if_broken() {
  if (is_broken()) return;
  if (::nbd_aio_is_dead(handle_.get()) != 0 || ::nbd_aio_is_closed(handle_.get()) != 0)
    why_broken_ = last_error();
}

void Handle::wait(int wakeup, Time until) {
  const unsigned direction = ::nbd_aio_get_direction(handle_.get());
  const bool reads = (direction & LIBNBD_AIO_DIRECTION_READ) != 0;
  const bool writes = (direction & LIBNBD_AIO_DIRECTION_WRITE) != 0;
  std::array waited{Waited{.fd = ::nbd_aio_get_fd(handle_.get()), .to_read = reads, .to_write = writes},
                    Waited{.fd = wakeup, .to_read = true}};
  wait_for_any(waited, until);
  if (reads && waited[0].can_read)
    ::nbd_aio_notify_read(handle_.get());
  else if (writes && waited[0].can_write)
    ::nbd_aio_notify_write(handle_.get());
  note_if_broken();
}

// What a broken connection says of requests is not from the server.
std::vector<Handle::Answer> Handle::take_answers() {
  note_if_broken();  // sending may have found out
  std::vector<Answer> answers;
  for (auto each = under_way_.begin(); each != under_way_.end();) {
    const bool is_real = each->is_answered && (each->error == 0 || !is_broken());
    if (is_real && each->error == ESHUTDOWN) why_broken_ = "the server is shutting down";
    if (!is_real || each->error == ESHUTDOWN) {
      ++each;
      continue;
    }
    answers.push_back({each->request, each->error});
    each = under_way_.erase(each);
  }
  return answers;
}

std::vector<RequestPtr> Handle::under_way() const {
  std::vector<RequestPtr> requests;
  for (const UnderWay& each : under_way_) requests.push_back(each.request);
  return requests;
}

std::optional<Time> Handle::oldest() const {
  return under_way_.empty() ? std::nullopt : std::optional(under_way_.front().since);
}

}  // namespace e2qcow::nbd
