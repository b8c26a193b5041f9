// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/stop_signals.h"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

#include "base/stop.h"

namespace e2qcow {
namespace {

volatile std::sig_atomic_t last_signal = SIGINT;

extern "C" void on_signal(int number) {
  last_signal = number;
  request_stop();
  std::signal(number, SIG_DFL);
}

}  // namespace

void stop_on_signals() {
  prepare_stop();
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction inherited {};
    ::sigaction(number, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
  }
}

int stop_signal() {
  return last_signal;
}

void end_by_stop_signal() {
  const int number = last_signal;
  std::signal(number, SIG_DFL);
  std::raise(number);
  std::_Exit(128 + number);  // it is blocked
}

}  // namespace e2qcow
