// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <csignal>

namespace e2qcow {

// Blocks signals in the calling thread as long as the object lives, and for good in threads that are started
// meanwhile: in another program's process, signals are for that program's threads.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;
  ~BlockSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace e2qcow
