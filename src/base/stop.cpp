// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/stop.h"

#include <e2qcow/error.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace e2qcow {
namespace {

std::atomic<bool> stop_requested{false};
int stop_event = -1;  // readable once a stop was requested
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

}  // namespace

void request_stop() noexcept {
  stop_requested.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  const int saved = errno;
  if (stop_event >= 0 && ::write(stop_event, &one, sizeof one) < 0) errno = saved;
  errno = saved;
}

void prepare_stop() {
  stop_event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

// A signal may be delivered to another thread than the one that waits, and then interrupts no call.
void wait_for(int fd, short events) {
  pollfd waited[]{{fd, events, 0}, {stop_event, POLLIN, 0}};
  do {
    throw_if_stopped();
  } while (::poll(waited, 2, -1) < 0 && errno == EINTR);
  throw_if_stopped();
}

void throw_if_stopped() {
  if (stop_requested.load(std::memory_order_relaxed)) fail(Errc::interrupted, "interrupted");
}

}  // namespace e2qcow
