// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/unique_fd.h"

namespace e2qcow {

// Ends the wait of a thread that waits for descriptors as well. Safe from several threads.
class Wakeup {
 public:
  Wakeup();
  // Can be read from after notify(), until clear().
  int fd() const { return fd_.get(); }
  void notify() const;
  void clear() const;

 private:
  UniqueFd fd_;
};

}  // namespace e2qcow
