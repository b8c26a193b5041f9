// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/mounts.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "base/partitions.h"
#include "base/sysfs.h"

namespace e2qcow {
namespace {

namespace fs = std::filesystem;

// Blanks are written in octal: "\040".
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '\\' && i + 3 < text.size();
    result += is_escape ? static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)) : text[i];
    if (is_escape) i += 3;
  }
  return result;
}

// "36 35 8:1 / /mnt rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue"
std::optional<Mount> parse_mount(const std::string& line) {
  std::istringstream words(line);
  std::string id, parent, device, root, point, word, type, source, options;
  words >> id >> parent >> device >> root >> point;
  while (words >> word && word != "-") {
  }
  words >> type >> source >> options;
  unsigned major = 0, minor = 0;
  char colon = 0;
  std::istringstream(device) >> major >> colon >> minor;
  if (!words) return std::nullopt;
  const bool read_write = options == "rw" || options.starts_with("rw,");
  return Mount{::makedev(major, minor), unescaped(source), unescaped(point), read_write, type,
               unescaped(options)};
}

// The driver lists what it has mounted, for whomever.
std::vector<Mount> mounts_of_the_driver() {
  std::vector<Mount> mounts;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc/fs/ext4", none)) {
    const std::string name = entry.path().filename();
    std::string mode;
    std::ifstream(entry.path() / "options") >> mode;
    mounts.push_back(
        {device_in(fs::path("/sys/class/block") / name / "dev"), "/dev/" + name, "", mode == "rw"});
  }
  return mounts;
}

}  // namespace

std::vector<Mount> visible_mounts() {
  std::vector<Mount> mounts;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);)
    if (auto mount = parse_mount(line)) mounts.push_back(std::move(*mount));
  return mounts;
}

std::vector<Mount> mounts_on(const std::vector<StoredRange>& ranges) {
  std::vector<Mount> found;
  const auto add = [&](std::vector<Mount> mounts) {
    for (Mount& mount : mounts)
      if (std::ranges::find(found, mount.device, &Mount::device) == found.end() &&
          overlap(ranges_of_device(mount.device), ranges))
        found.push_back(std::move(mount));
  };
  add(visible_mounts());
  add(mounts_of_the_driver());
  return found;
}

std::string device_mounted_on(const std::string& directory) {
  std::error_code none;
  const fs::path place = fs::canonical(directory, none);
  const auto mounts = visible_mounts();
  const auto last = std::ranges::find(mounts.rbegin(), mounts.rend(), place.string(), &Mount::directory);
  if (last == mounts.rend())
    fail(Errc::refused, directory + ": is a directory, and no file system is mounted on it");
  if (fs::is_block_file(last->node, none)) return last->node;
  const std::string name = fs::read_symlink(sysfs_of(last->device), none).filename();
  if (name.empty())
    fail(Errc::refused,
         fmt::format("{}: {} is mounted on it, which is no block device", directory, last->node));
  return "/dev/" + name;
}

std::string loop_device_of(const std::string& file) {
  std::error_code none;
  if (!fs::is_regular_file(file, none)) return "";
  const auto ranges = stored_ranges(file);
  for (const auto& entry : fs::directory_iterator("/sys/block", none))
    if (fs::exists(entry.path() / "loop", none) &&
        overlap(ranges_of_device(device_in(entry.path() / "dev")), ranges))
      return "/dev/" + entry.path().filename().string();
  return "";
}

bool is_claimed(const PosixFile& device) {
  if (!device.is_block_device()) return false;
  std::error_code none;
  const auto holders = sysfs_of(device.number()) / "holders";
  if (!partitions_in(device, kWhole).empty() ||
      fs::directory_iterator(holders, none) != fs::directory_iterator())
    return false;
  const UniqueFd alone(::open(device.name().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK));
  return alone.get() < 0 && errno == EBUSY;
}

bool are_links_cached() {
  constexpr std::pair kSince(5, 19);
  utsname system{};
  int major = 0;
  int minor = 0;
  char dot = 0;
  if (::uname(&system) != 0) return false;
  std::istringstream(system.release) >> major >> dot >> minor;
  return std::pair(major, minor) >= kSince;
}

std::unique_ptr<DirectFile> past_stale_cache(const ReadableFile& device) {
  struct stat status {};
  const auto place = device.descriptor();
  if (!place || ::fstat(place->fd, &status) != 0 || !S_ISBLK(status.st_mode)) return nullptr;
  return mounts_on(stored_ranges(status)).empty() ? nullptr : std::make_unique<DirectFile>(device);
}

}  // namespace e2qcow
