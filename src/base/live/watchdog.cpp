// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/live/watchdog.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <initializer_list>

namespace e2qcow {
namespace {

constexpr int kFileSystem = 0;  // the only descriptors
constexpr int kSocket = 1;

// For the handler of signals.
volatile std::sig_atomic_t must_thaw = 0;

void thaw() {
  if (must_thaw != 0) ::ioctl(kFileSystem, FITHAW, 0);
  must_thaw = 0;
}

[[noreturn]] void end(int status) {
  thaw();
  ::_exit(status);
}

void end_by_signal(int signal) {
  end(128 + signal);
}

void thaw_on_signals() {
  struct sigaction action {};
  action.sa_handler = end_by_signal;
  ::sigfillset(&action.sa_mask);
  for (int signal = 1; signal < SIGRTMIN; ++signal)
    if (signal != SIGCHLD && signal != SIGCONT && signal != SIGWINCH && signal != SIGURG &&
        signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU)
      ::sigaction(signal, &action, nullptr);
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU}) std::signal(signal, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void keep_descriptors(int file_system, int socket) {
  const int first = ::fcntl(file_system, F_DUPFD, 10);
  const int second = ::fcntl(socket, F_DUPFD, 10);
  ::dup2(first, kFileSystem);
  ::dup2(second, kSocket);
  ::close_range(kSocket + 1, ~0U, 0);
}

// It must not have to wait for memory while a disk stands still, and is the last one to be killed.
void stay_in_memory() {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file >= 0) {
    [[maybe_unused]] const auto written = ::write(file, "-1000", 5);
    ::close(file);
  }
  ::mlockall(MCL_CURRENT | MCL_FUTURE);
}

long long now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1'000'000;
}

}  // namespace

void run_watchdog(int file_system, int socket, int limit) {
  ::setsid();
  ::prctl(PR_SET_NAME, "e2qcow-thaw");
  [[maybe_unused]] const int moved = ::chdir("/");
  keep_descriptors(file_system, socket);
  thaw_on_signals();
  stay_in_memory();
  long long deadline = -1;  // none yet
  while (true) {
    pollfd input{kSocket, POLLIN, 0};
    const long long left = deadline < 0 ? -1 : deadline - now();
    if (deadline >= 0 && left <= 0) end(1);
    const int ready = ::poll(&input, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) end(1);
    if (ready <= 0) continue;
    char word = 0;
    if (::read(kSocket, &word, 1) != 1) end(1);  // the other one is gone
    if (word == static_cast<char>(FreezeWord::ended)) {
      must_thaw = 0;
      end(0);
    }
    must_thaw = 1;
    deadline = now() + limit;
    const char answer = static_cast<char>(FreezeWord::ready);
    if (::write(kSocket, &answer, 1) != 1) end(1);
  }
}

}  // namespace e2qcow
