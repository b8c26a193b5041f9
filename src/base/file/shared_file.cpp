// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/shared_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "base/file/memory_disk.h"

namespace e2qcow {
namespace {

namespace fs = std::filesystem;

constexpr std::array kMark{std::byte{1}};

UniqueFd open_shared_file(const std::string& name) {
  return UniqueFd(is_shared_file(name) ? ::open(name.c_str(), O_RDWR | O_CLOEXEC) : -1);
}

}  // namespace

std::string name_for_others(int fd) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

bool is_shared_file(const std::string& name) {
  std::error_code not_there;
  return fs::is_regular_file(name, not_there) && fs::hard_link_count(name, not_there) == 0;
}

UniqueFd lock_shared_file(const std::string& name) {
  UniqueFd file = open_shared_file(name);
  if (file.get() < 0) return file;
  while (::flock(file.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  return file;
}

UniqueFd create_unmarked_file() {
  return open_memory_disk(kMark.size());
}

void mark_shared_file(const std::string& name) {
  const UniqueFd file = open_shared_file(name);
  if (file.get() >= 0) write_to_memory_disk(file, 0, kMark);
}

bool is_marked(const UniqueFd& file) {
  std::array<std::byte, kMark.size()> mark{};
  return ::pread(file.get(), mark.data(), mark.size(), 0) == std::ssize(mark) && mark == kMark;
}

}  // namespace e2qcow
