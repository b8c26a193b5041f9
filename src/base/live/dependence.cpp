// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/live/dependence.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/mounts.h"
#include "base/storage.h"

namespace e2qcow {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 16;  // of file systems in file systems

bool is_stored_on(dev_t file_system, dev_t frozen, int depth);

bool are_stored_on(const std::vector<StoredRange>& ranges, dev_t frozen, int depth) {
  return std::ranges::any_of(ranges, [&](const StoredRange& range) {
    return range.is_file && is_stored_on(range.device, frozen, depth + 1);
  });
}

bool is_path_stored_on(const std::string& path, dev_t frozen, int depth) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && is_stored_on(status.st_dev, frozen, depth + 1);
}

// The upper layer of an overlay, which is all that is written to. Source: the kernel's
// Documentation/filesystems/overlayfs.rst
std::string upper_directory(const std::string& options) {
  constexpr std::string_view kUpper = "upperdir=";
  std::istringstream words(options);
  for (std::string word; std::getline(words, word, ',');)
    if (word.starts_with(kUpper)) return word.substr(kUpper.size());
  return "";
}

// File systems without a device of their own have one, or a directory, in the list of mounts.
bool is_mount_stored_on(const Mount& mount, dev_t frozen, int depth) {
  if (mount.type == "overlay") return is_path_stored_on(upper_directory(mount.options), frozen, depth);
  std::error_code none;
  return fs::is_block_file(mount.node, none) && are_stored_on(stored_ranges(mount.node), frozen, depth);
}

bool is_stored_on(dev_t file_system, dev_t frozen, int depth) {
  if (file_system == frozen) return true;
  if (depth > kMaxDepth) return false;
  if (are_stored_on(ranges_of_device(file_system), frozen, depth)) return true;
  const auto mounts = visible_mounts();
  return std::ranges::any_of(mounts, [&](const Mount& mount) {
    return mount.device == file_system && is_mount_stored_on(mount, frozen, depth);
  });
}

bool depends_on(const struct stat& status, dev_t frozen) {
  if (S_ISBLK(status.st_mode)) return are_stored_on(stored_ranges(status), frozen, 0);
  return S_ISREG(status.st_mode) && is_stored_on(status.st_dev, frozen, 0);
}

bool is_open_for_writing(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

}  // namespace

bool depends_on(const std::string& path, dev_t frozen) {
  const std::string place = without_links(path);
  struct stat status {};
  if (::stat(place.c_str(), &status) == 0 && S_ISBLK(status.st_mode)) return depends_on(status, frozen);
  const fs::path directory = fs::path(place).parent_path();
  return is_path_stored_on(directory.empty() ? "." : directory.string(), frozen, 0);
}

std::vector<std::string> open_files_on(dev_t frozen) {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", none)) {
    const int fd = std::stoi(entry.path().filename().string());
    struct stat status {};
    if (is_open_for_writing(fd) && ::fstat(fd, &status) == 0 && depends_on(status, frozen))
      found.push_back(fmt::format("{} (descriptor {})", fs::read_symlink(entry.path(), none).string(), fd));
  }
  std::ranges::sort(found);
  return found;
}

// Source of the format: proc(5), /proc/swaps
std::vector<std::string> swap_files_on(dev_t frozen) {
  std::vector<std::string> found;
  std::ifstream list("/proc/swaps");
  std::string line;
  std::getline(list, line);  // the headings
  while (std::getline(list, line)) {
    std::istringstream words(line);
    std::string path;
    std::string type;
    words >> path >> type;
    if (type == "file" && is_path_stored_on(path, frozen, 0)) found.push_back(path);
  }
  return found;
}

}  // namespace e2qcow
