#include "base/output_file.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace e2qcow {
namespace {

std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  fail_errno(path);
}

// What the name leads to, which need not exist.
std::string without_links(std::string path) {
  constexpr int kMaxLinks = 40;
  std::error_code not_a_link;
  for (int i = 0; i < kMaxLinks; ++i) {
    const auto target = std::filesystem::read_symlink(path, not_a_link);
    if (not_a_link) return path;
    path = std::filesystem::path(path).parent_path() / target;  // an absolute target replaces all
  }
  fail_errno(ELOOP, path + ": open");
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A free name beside `path`, for a moment.
std::string hidden_name(const std::string& path, int attempt) {
  const std::string directory = directory_of(path);
  const std::string base = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return fmt::format("{}/.{}.{}.{}", directory, base, ::getpid(), attempt);
}

void sync_directory(const std::string& path) {
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail_errno(path + ": sync");
}

constexpr int kAttempts = 100;

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path) {
  const auto existing = status_of(path);
  if (existing && S_ISBLK(existing->st_mode)) {
    file_ = open_device_for_writing(path);
    return;
  }
  if (existing && !S_ISREG(existing->st_mode))
    fail(Errc::refused, path + ": exists and is neither a regular file nor a block device");
  if (existing && ::access(path.c_str(), W_OK) != 0) fail_errno(path + ": open for writing");
  path_ = without_links(path);
  replaces_ = existing.has_value();
  create_beside();
  if (existing && (::fchown(file_->fd(), existing->st_uid, existing->st_gid) != 0 ||
                   ::fchmod(file_->fd(), existing->st_mode & 07777) != 0))
    errno = 0;  // somebody else's file: ours then keeps the owner and mode that it has
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::create_beside() {
  const std::string directory = directory_of(path_);
  UniqueFd fd(::open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  if (fd.get() < 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
    fail_errno(path_ + ": create");
  for (int attempt = 0; fd.get() < 0; ++attempt) {
    temporary_ = hidden_name(path_, attempt);
    fd = UniqueFd(::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd.get() >= 0) break;
    temporary_.clear();  // not ours
    if (errno != EEXIST || attempt == kAttempts) fail_errno(path_ + ": create");
  }
  file_ = std::make_unique<PosixFile>(std::move(fd), path_);
}

void OutputFile::give_name() {
  const std::string open_file = fmt::format("/proc/self/fd/{}", file_->fd());
  for (int attempt = 0; temporary_.empty(); ++attempt) {
    const std::string name = hidden_name(path_, attempt);
    if (::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
      temporary_ = name;
    else if (errno != EEXIST || attempt == kAttempts)
      fail_errno(path_ + ": create");
  }
}

void OutputFile::commit(Durability durability) {
  const bool sync = durability == Durability::always || replaces_ || is_block_device();
  if (sync) file_->sync();
  if (is_block_device()) return;
  give_name();
  file_->close();  // before it is made known: what the disk has no room for may show only now
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno(path_ + ": replace");
  temporary_.clear();
  if (sync) sync_directory(directory_of(path_));
}

}  // namespace e2qcow
