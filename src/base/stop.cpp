#include "base/stop.h"

#include <e2qcow/error.h>

#include <atomic>

namespace e2qcow {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

}  // namespace

void request_stop() noexcept {
  stop_requested.store(true, std::memory_order_relaxed);
}

void throw_if_stopped() {
  if (stop_requested.load(std::memory_order_relaxed)) fail(Errc::interrupted, "interrupted");
}

}  // namespace e2qcow
