// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/output_file.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/file/qemu_locks.h"
#include "base/storage.h"

namespace e2qcow {
namespace {

std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  fail_errno(path);
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A name beside `path` that is free at this moment.
std::string hidden_name(const std::string& path, int attempt) {
  return fmt::format("{}/.e2qcow.{}.{}", directory_of(path), ::getpid(), attempt);
}

std::string name_of_open_file(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

// Whether an unnamed file can be given a name later: not in a chroot without /proc.
bool can_be_named(int fd) {
  return ::access(name_of_open_file(fd).c_str(), F_OK) == 0;
}

void sync_directory(const std::string& path) {
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail_errno(path + ": sync");
}

// The other program would go on writing into a file without a name, and lose everything. Who writes locks for
// itself; this only asks, so that two programs that ask at the same time do not take each other for one.
void refuse_open_elsewhere(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return;
  if (is_locked_by_qemu(fd.get())) fail(Errc::in_use, path + ": is open in QEMU or one of its programs");
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    fail(Errc::in_use, path + ": is being written by another program");
}

constexpr int kAttempts = 100;
constexpr PosixFile::Options kOptions{.writes_directly = true};

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (path.empty()) fail(Errc::refused, "the name of the output is empty");
  const auto existing = status_of(path);
  if (existing && S_ISBLK(existing->st_mode)) {
    file_ = open_device_for_writing(path, kOptions);
    return;
  }
  if (existing && !S_ISREG(existing->st_mode))
    fail(Errc::refused, path + ": exists and is neither a regular file nor a block device");
  if (existing) refuse_open_elsewhere(path);
  if (existing && ::access(path.c_str(), W_OK) != 0) fail_errno(path + ": open for writing");
  path_ = without_links(path);
  replaces_ = existing.has_value();
  create_beside();
  if (existing && (::fchown(file_->fd(), existing->st_uid, existing->st_gid) != 0 ||
                   ::fchmod(file_->fd(), existing->st_mode & 07777) != 0))
    errno = 0;  // another user's file: ours then keeps its own owner and mode
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::string OutputFile::directory() const {
  return directory_of(path_);
}

void OutputFile::create_beside() {
  const std::string directory = directory_of(path_);
  UniqueFd fd(::open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  if (fd.get() < 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
    fail_errno(path_ + ": create");
  if (fd.get() >= 0 && !can_be_named(fd.get())) fd = UniqueFd();
  for (int attempt = 0; fd.get() < 0; ++attempt) {
    temporary_ = hidden_name(path_, attempt);
    fd = UniqueFd(::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd.get() >= 0) break;
    temporary_.clear();  // not ours
    if (errno != EEXIST || attempt == kAttempts) fail_errno(path_ + ": create");
  }
  file_ = std::make_unique<PosixFile>(std::move(fd), path_, kOptions);
}

void OutputFile::give_name() {
  const std::string open_file = name_of_open_file(file_->fd());
  for (int attempt = 0; temporary_.empty(); ++attempt) {
    const std::string name = hidden_name(path_, attempt);
    if (::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
      temporary_ = name;
    else if (errno != EEXIST || attempt == kAttempts)
      fail_errno(path_ + ": create");
  }
}

// A new file gets its name at once, so that a killed program leaves either nothing or a whole file. Where it
// cannot, or another program was quicker, nothing is changed.
bool OutputFile::appear() {
  if (replaces_ || !temporary_.empty()) return false;
  // A full disk may be noticed only when a descriptor is closed.
  const int copy = ::dup(file_->fd());
  if (copy < 0 || ::close(copy) != 0) fail_errno(path_ + ": close");
  const std::string open_file = name_of_open_file(file_->fd());
  return ::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

void OutputFile::replace() {
  give_name();
  file_->close();  // before it gets its name: a full disk may be noticed only now
  if (replaces_) refuse_open_elsewhere(path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno(path_ + ": replace");
  temporary_.clear();
}

void OutputFile::commit(Durability durability) {
  const bool sync = durability == Durability::synced ||
                    (durability == Durability::if_it_replaces && (replaces_ || is_block_device()));
  if (sync) file_->sync();
  if (is_block_device()) return;
  if (appear())
    file_->close();
  else
    replace();
  if (sync) sync_directory(directory_of(path_));
}

}  // namespace e2qcow
