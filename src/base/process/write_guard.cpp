// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/write_guard.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/process/block_signals.h"
#include "base/process/lease_waiters.h"

namespace e2qcow {
namespace {

constexpr timespec kRetry{.tv_sec = 0, .tv_nsec = 50'000'000};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string of_process(pid_t process, const char* what) {
  return text_of("/proc/" + std::to_string(process) + "/" + what);
}

// 0 if there is no such process. The name before it in the file may contain parentheses.
pid_t parent_of(pid_t process) {
  const std::string status = of_process(process, "stat");
  const std::size_t end_of_name = status.rfind(')');
  return end_of_name == std::string::npos ? 0 : std::atoi(status.substr(end_of_name + 4).c_str());
}

bool is_descendant(pid_t process) {
  const pid_t ancestor = ::getpid();
  for (pid_t parent = parent_of(process); parent > 0; parent = parent_of(parent))
    if (parent == ancestor) return true;
  return false;
}

std::string name_of(pid_t process) {
  std::string name = of_process(process, "comm");
  if (name.ends_with('\n')) name.pop_back();
  return name + " (process " + std::to_string(process) + ")";
}

// This thread gets its signals: whom they go to is forgotten when a lease is given up.
bool take_lease(const UniqueFd& fd) {
  const f_owner_ex this_thread{F_OWNER_TID, ::gettid()};
  ::fcntl(fd.get(), F_SETOWN_EX, &this_thread);
  return ::fcntl(fd.get(), F_SETLEASE, F_RDLCK) == 0;
}

std::string why_no_lease(int error) {
  if (error == EAGAIN) return "it is open for writing already, as by a loop device or a virtual machine";
  if (error == EACCES) return "it belongs to another user";
  if (error == EINVAL) return "it is a device, or on a file system without leases";
  return ::strerror(error);
}

}  // namespace

WriteGuard::WriteGuard(const std::vector<std::string>& files, Say say, MayWrite may_write)
    : say_(std::move(say)), may_write_(std::move(may_write)) {
  if (files.empty()) return;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // orphans stay our descendants
  const BlockSignals blocked;
  thread_ = std::thread([&] {
    for (const std::string& name : files) add(name);
    is_ready_.count_down();
    watch();
  });
  is_ready_.wait();
}

// A process that waits at this moment would continue if the lease were just given up; and one that did not
// wait may not have been reported yet.
WriteGuard::~WriteGuard() {
  if (!thread_.joinable()) return;
  ends_ = true;
  ::pthread_kill(thread_.native_handle(), SIGIO);
  thread_.join();
  for (File& file : files_) attend(file);
}

void WriteGuard::add(const std::string& name) {
  UniqueFd fd(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) return;
  const auto is_same = [&](const File& file) {
    return file.device == status.st_dev && file.inode == status.st_ino;
  };
  if (std::ranges::any_of(files_, is_same)) return;
  if (take_lease(fd)) {
    files_.push_back({name, std::move(fd), status.st_dev, status.st_ino});
    return;
  }
  const int error = errno;
  if (::faccessat(AT_FDCWD, name.c_str(), W_OK, AT_EACCESS) == 0)
    say_(name + ": programs cannot be kept from writing to it: " + why_no_lease(error));
}

void WriteGuard::watch() {
  for (wait(); !ends_; wait())
    for (File& file : files_)
      if (attend(file) == Lease::given_up) file.is_guarded = take_lease(file.fd);
}

// For the signal by which the kernel says that a process wants to write, or our end; not long if a file is
// not guarded at the moment.
void WriteGuard::wait() const {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGIO);
  const bool are_guarded = std::ranges::all_of(files_, &File::is_guarded);
  ::sigtimedwait(&signals, nullptr, are_guarded ? nullptr : &kRetry);
}

// A lease that a process waits for counts no longer. It is given up when none waits that must not write,
// which lets the others through, to be taken anew when these have closed the file. Who opened the file with
// O_NONBLOCK does not wait, but got an error. The kernel takes the lease away if nothing happens for long.
WriteGuard::Lease WriteGuard::attend(File& file) {
  if (file.is_guarded && ::fcntl(file.fd.get(), F_GETLEASE) == F_RDLCK) return Lease::held;
  const Writers writers = stop_writers(file);
  const bool was_guarded = std::exchange(file.is_guarded, false);
  if (writers == Writers::stopped) return Lease::held;
  const bool was_held = ::fcntl(file.fd.get(), F_SETLEASE, F_UNLCK) == 0;
  if (was_guarded && writers == Writers::none)
    say_(file.name + (was_held
                          ? ": a program could not open the file itself for writing; it is unchanged"
                          : ": the guard was stopped for too long; a program may have written to the file"));
  return Lease::given_up;
}

// The result is about those that still wait: one that was killed takes a moment to end, and one with other
// rights cannot be killed. The kill is recorded first, because our child may be the one that ends.
WriteGuard::Writers WriteGuard::stop_writers(File& file) {
  Writers writers = Writers::none;
  for (const pid_t process : lease_waiters(text_of("/proc/locks"), ::getpid(), file.inode)) {
    const bool is_ours = is_descendant(process);
    const bool is_let_through = !is_ours || may_write_(process);
    const bool may_kill = !is_let_through && ::kill(process, 0) == 0;
    if (!is_let_through) writers = Writers::stopped;
    if (writers == Writers::none) writers = Writers::let_through;
    if (is_ours && is_let_through) continue;
    if (file.reported.insert(process).second) report(file, name_of(process), is_ours, may_kill);
    if (!may_kill) continue;
    has_killed_ = true;
    ::kill(process, SIGKILL);
  }
  return writers;
}

void WriteGuard::report(const File& file, const std::string& process, bool is_descendant,
                        bool may_kill) const {
  if (may_kill)
    say_(file.name + ": " + process + " opened the file itself for writing and was killed; it is unchanged");
  else if (is_descendant)
    say_(file.name + ": " + process +
         " opens the file itself for writing and cannot be killed by this user; "
         "the kernel lets it continue soon");
  else
    say_(file.name + ": another program opens it for writing: " + process);
}

}  // namespace e2qcow
