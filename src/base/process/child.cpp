// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/child.h"

#include <e2qcow/error.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace e2qcow {
namespace {

constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;
constexpr int kSignalled = 128;

std::atomic<pid_t> running{0};

extern "C" void pass_on(int number) {
  const pid_t child = running.load();
  if (child > 0) ::kill(child, number);
}

bool is_ignored(int number) {
  struct sigaction inherited {};
  ::sigaction(number, nullptr, &inherited);
  return inherited.sa_handler == SIG_IGN;
}

// As long as a child runs. A signal that was ignored before stays ignored.
class SignalsForChild {
 public:
  SignalsForChild() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      struct sigaction action {};
      action.sa_handler = kSignals[i] == SIGINT || kSignals[i] == SIGQUIT ? SIG_IGN : pass_on;
      action.sa_flags = SA_RESTART;
      ::sigaction(kSignals[i], is_ignored(kSignals[i]) ? nullptr : &action, &before_[i]);
    }
  }
  SignalsForChild(const SignalsForChild&) = delete;
  SignalsForChild& operator=(const SignalsForChild&) = delete;
  ~SignalsForChild() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array kSignals{SIGINT, SIGQUIT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kSignals.size()> before_{};
};

struct DestroyAttributes {
  void operator()(posix_spawnattr_t* attributes) const { ::posix_spawnattr_destroy(attributes); }
};

// The child does not ignore the signals that we ignore.
sigset_t signals_to_reset() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGPIPE, SIGXFSZ}) ::sigaddset(&set, number);
  for (const int number : {SIGINT, SIGQUIT})
    if (!is_ignored(number)) ::sigaddset(&set, number);
  return set;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail_errno("wait for the program");
  running.store(0);
  return status;
}

// Like shells, says nothing of the signals by which users and pipes end programs.
ChildEnd end_of(const std::string& program, int status) {
  if (!WIFSIGNALED(status)) return {WEXITSTATUS(status)};
  const int number = WTERMSIG(status);
  if (number == SIGINT || number == SIGPIPE) return {kSignalled + number};
  const char* name = ::sigdescr_np(number);
  return {kSignalled + number, program + " was ended by signal " + std::to_string(number) +
                                   (name == nullptr ? "" : std::string(" (") + name + ")")};
}

}  // namespace

ChildEnd run_child(const std::vector<std::string>& words,
                   const std::vector<std::pair<std::string, std::string>>& variables) {
  for (const auto& [name, value] : variables)
    ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): there is one thread
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  const std::unique_ptr<posix_spawnattr_t, DestroyAttributes> owner(&attributes);
  const sigset_t to_reset = signals_to_reset();
  ::posix_spawnattr_setsigdefault(&attributes, &to_reset);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const SignalsForChild signals;
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, words[0].c_str(), nullptr, &attributes, pointers(words).data(), environ);
  if (error != 0)
    return {error == ENOENT ? kNotFound : kNotExecutable, words[0] + ": " + ::strerror(error), false};
  running.store(child);
  return end_of(words[0], wait_for(child));
}

int process_id() {
  return ::getpid();
}

}  // namespace e2qcow
