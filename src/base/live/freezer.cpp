// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/live/freezer.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/live/watchdog.h"
#include "base/process/block_signals.h"

namespace e2qcow {
namespace {

void say(const UniqueFd& socket, FreezeWord word) {
  const char byte = static_cast<char>(word);
  [[maybe_unused]] const auto sent = ::send(socket.get(), &byte, 1, MSG_NOSIGNAL);  // it may be gone
}

}  // namespace

Freezer::Freezer(const std::string& directory, Milliseconds limit)
    : directory_(directory),
      limit_(limit),
      file_system_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  struct stat status {};
  if (file_system_.get() < 0 || ::fstat(file_system_.get(), &status) != 0)
    fail_errno(directory + ": cannot be opened to freeze its file system");
  device_ = status.st_dev;
  start_watchdog();
}

void Freezer::start_watchdog() {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0)
    fail_errno(directory_ + ": no watchdog for the freeze: socketpair");
  UniqueFd its_end(sockets[1]);
  to_watchdog_ = UniqueFd(sockets[0]);
  watchdog_ = ::fork();
  if (watchdog_ < 0) fail_errno(directory_ + ": no watchdog for the freeze: fork");
  if (watchdog_ == 0) run_watchdog(file_system_.get(), its_end.get(), static_cast<int>(limit_.count()));
}

// If it is stopped, or gone, nothing is frozen.
void Freezer::expect_answer() const {
  constexpr int kPatience = 5000;  // milliseconds
  pollfd input{to_watchdog_.get(), POLLIN, 0};
  char answer = 0;
  const bool is_ready = ::poll(&input, 1, kPatience) == 1 && ::read(to_watchdog_.get(), &answer, 1) == 1;
  if (!is_ready)
    fail(Errc::refused, directory_ + ": the watchdog of the freeze does not answer; nothing was frozen");
}

bool Freezer::freeze() {
  say(to_watchdog_, FreezeWord::begins);
  expect_answer();
  begin_ = Clock::now();
  if (::ioctl(file_system_.get(), FIFREEZE, 0) != 0) {
    const int error = errno;
    dismiss_watchdog();
    if (error == EBUSY) return !(is_others_ = true);
    fail_errno(error, directory_ + ": cannot be frozen");
  }
  is_frozen_ = true;
  watch_the_watchdog();
  return true;
}

// Until thaw(): what the watchdog does for us, we do for it.
void Freezer::watch_the_watchdog() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_errno(directory_ + ": no watch over the watchdog: pipe");
  end_watch_ = UniqueFd(ends[1]);
  const BlockSignals for_the_thread;
  thread_ = std::thread([this, end = ends[0]] {
    const UniqueFd owned(end);
    std::array<pollfd, 2> inputs{pollfd{to_watchdog_.get(), POLLIN, 0}, pollfd{end, POLLIN, 0}};
    int ready = 0;
    do ready = ::poll(inputs.data(), inputs.size(), static_cast<int>(limit_.count()));
    while (ready < 0 && errno == EINTR);
    if (inputs[1].revents != 0) return;
    const std::scoped_lock lock(mutex_);
    if (!is_frozen_) return;  // thawed at this very moment
    thaw_once();
    was_too_early_ = true;
  });
}

// EINVAL: it is not frozen any more.
void Freezer::thaw_once() {
  if (!is_frozen_) return;
  was_too_early_ = ::ioctl(file_system_.get(), FITHAW, 0) != 0 && errno == EINVAL;
  is_frozen_ = false;
  duration_ = std::chrono::duration_cast<Milliseconds>(Clock::now() - begin_);
}

Freezer::Thaw Freezer::thaw() {
  if (is_others_) return Thaw::left;
  {
    const std::scoped_lock lock(mutex_);
    thaw_once();
  }
  end_watch_ = UniqueFd();
  if (thread_.joinable()) thread_.join();
  dismiss_watchdog();
  return was_too_early_ ? Thaw::too_early : Thaw::in_time;
}

// It may have been stopped, and then only this ends it.
void Freezer::dismiss_watchdog() {
  if (watchdog_ < 0) return;
  say(to_watchdog_, FreezeWord::ended);
  ::kill(watchdog_, SIGKILL);
  while (::waitpid(watchdog_, nullptr, 0) < 0 && errno == EINTR) {
  }
  watchdog_ = -1;
}

Freezer::~Freezer() {
  thaw();
}

}  // namespace e2qcow
