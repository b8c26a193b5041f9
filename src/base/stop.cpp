// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/stop.h"

#include <e2qcow/error.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <vector>

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

void wait_for_any(std::span<Waited> waited, std::chrono::steady_clock::time_point until) {
  using std::chrono::milliseconds;
  constexpr milliseconds kLongest(60'000);
  std::vector<pollfd> polled{{stop_event, POLLIN, 0}};
  for (const Waited& one : waited)
    polled.push_back(
        {one.fd, static_cast<short>((one.to_read ? POLLIN : 0) | (one.to_write ? POLLOUT : 0)), 0});
  const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  throw_if_stopped();
  const int ready = ::poll(polled.data(), polled.size(),
                           static_cast<int>(std::clamp(left, milliseconds(0), kLongest).count()));
  throw_if_stopped();
  for (std::size_t i = 0; i < waited.size(); ++i) {
    const int found = ready <= 0 ? 0 : polled[i + 1].revents;
    const bool is_broken = (found & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    waited[i].can_read = is_broken || (found & POLLIN) != 0;
    waited[i].can_write = is_broken || (found & POLLOUT) != 0;
  }
}

void throw_if_stopped() {
  if (stop_requested.load(std::memory_order_relaxed)) fail(Errc::interrupted, "interrupted");
}

}  // namespace e2qcow
