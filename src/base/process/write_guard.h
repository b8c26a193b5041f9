// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace e2qcow {

// Keeps the descendants of this process from writing to files, whatever programs they run and by whatever
// name they open a file. It holds a lease on each (fcntl(2)), so the kernel makes a process wait that wants
// to open the file for writing, or to truncate it; a descendant is killed while it waits, unless it may
// write, and others are let through. Files may still be renamed and removed. At most one exists at a time.
class WriteGuard {
 public:
  using Say = std::function<void(const std::string&)>;
  using MayWrite = std::function<bool(pid_t descendant)>;

  // `say` gets messages, one line each, also from another thread: who was killed or let through, and which
  // files cannot be guarded although this process could write to them.
  WriteGuard(
      const std::vector<std::string>& files, Say say, MayWrite may_write = [](pid_t) { return false; });
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;
  ~WriteGuard();

  bool has_killed() const { return has_killed_; }

 private:
  struct File {
    std::string name;
    UniqueFd fd;
    dev_t device;
    ino_t inode;
    bool is_guarded = true;
    std::set<pid_t> reported{};
  };

  void add(const std::string& name);
  void watch();
  void wait() const;
  enum class Lease { held, given_up };
  Lease attend(File& file);
  enum class Writers { none, let_through, stopped };
  Writers stop_writers(File& file);
  void report(const File& file, const std::string& process, bool is_descendant, bool may_kill) const;

  const Say say_;
  const MayWrite may_write_;
  std::vector<File> files_;
  std::atomic<bool> has_killed_{false};
  std::atomic<bool> ends_{false};
  std::latch is_ready_{1};
  std::thread thread_;  // gets the signals of the leases
};

}  // namespace e2qcow
