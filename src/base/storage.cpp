// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/storage.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/sysfs.h"
#include "base/unique_fd.h"

namespace e2qcow {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 16;  // of devices on devices

using Ranges = std::vector<StoredRange>;

void add_disk(Ranges& ranges, dev_t device, Extent part, int depth);

std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

Extent shifted(Extent part, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t length = part.offset < size ? std::min(part.length, size - part.offset) : 0;
  return {part.offset + offset, length};
}

void add(Ranges& ranges, const struct stat& status, Extent part, const std::string& name, int depth) {
  if (S_ISBLK(status.st_mode)) add_disk(ranges, status.st_rdev, part, depth);
  if (S_ISREG(status.st_mode)) ranges.push_back({true, status.st_dev, status.st_ino, part, name});
}

// The name in sysfs may belong to another file by now; the inode cannot.
bool add_loop_file(Ranges& ranges, const fs::path& directory, Extent part, int depth) {
  const std::string file = first_line(directory / "loop" / "backing_file");
  if (file.empty()) return false;
  const std::uint64_t offset = number_in(directory / "loop" / "offset");
  const std::uint64_t limit = number_in(directory / "loop" / "sizelimit");
  const Extent inside = shifted(part, offset, limit == 0 ? kWhole.length - offset : limit);
  const UniqueFd device(
      ::open(("/dev/" + directory.filename().string()).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  loop_info64 info{};
  if (device.get() >= 0 && ::ioctl(device.get(), LOOP_GET_STATUS64, &info) == 0 && info.lo_rdevice == 0) {
    ranges.push_back({true, static_cast<dev_t>(info.lo_device), info.lo_inode, inside, file});
    return true;
  }
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0) add(ranges, status, inside, file, depth + 1);
  return true;
}

void add_disk(Ranges& ranges, dev_t device, Extent part, int depth) {
  std::error_code none;
  const fs::path directory = fs::canonical(sysfs_of(device), none);
  if (depth > kMaxDepth || none) {
    ranges.push_back({false, device, 0, part});
    return;
  }
  if (fs::exists(directory / "partition", none)) {
    const Extent inside =
        shifted(part, number_in(directory / "start") * kSector, number_in(directory / "size") * kSector);
    return add_disk(ranges, device_in(directory.parent_path() / "dev"), inside, depth + 1);
  }
  if (add_loop_file(ranges, directory, part, depth)) return;
  Ranges below;
  for (const auto& slave : fs::directory_iterator(directory / "slaves", none))
    add_disk(below, device_in(slave.path() / "dev"), kWhole, depth + 1);
  for (StoredRange& range : below) range.mapped_by.insert(range.mapped_by.begin(), device);
  if (below.empty()) below.push_back({false, device, 0, part});
  ranges.insert(ranges.end(), below.begin(), below.end());
}

std::uint64_t end_of(Extent part) {
  return part.length > kWhole.length - part.offset ? kWhole.length : part.end();
}

// Two logical volumes of one disk, for example.
bool are_mapped_apart(const StoredRange& a, const StoredRange& b) {
  const auto is_made_of = [](const StoredRange& whole, dev_t part) {
    return std::ranges::find(whole.mapped_by, part) != whole.mapped_by.end();
  };
  return !a.mapped_by.empty() && !b.mapped_by.empty() && !is_made_of(a, b.mapped_by.front()) &&
         !is_made_of(b, a.mapped_by.front());
}

}  // namespace

Ranges ranges_of_device(dev_t device) {
  Ranges ranges;
  add_disk(ranges, device, kWhole, 0);
  return ranges;
}

Ranges stored_ranges(const struct stat& status, Extent part) {
  Ranges ranges;
  add(ranges, status, part, "", 0);
  return ranges;
}

Ranges stored_ranges(const std::string& path, Extent part) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? stored_ranges(status, part) : Ranges{};
}

Ranges stored_ranges(int fd, Extent part) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? stored_ranges(status, part) : Ranges{};
}

Ranges ranges_under(const std::string& path) {
  const fs::path directory = fs::path(without_links(path)).parent_path();
  struct stat status {};
  if (::stat(directory.empty() ? "." : directory.c_str(), &status) != 0) return {};
  return ranges_of_device(status.st_dev);
}

Ranges ranges_under(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return ranges_of_device(status.st_dev);
}

bool overlap(const Ranges& a, const Ranges& b) {
  return std::ranges::any_of(a, [&](const StoredRange& ours) {
    return std::ranges::any_of(b, [&](const StoredRange& theirs) {
      return !are_mapped_apart(ours, theirs) && ours.is_file == theirs.is_file &&
             ours.device == theirs.device && ours.inode == theirs.inode &&
             ours.range.offset < end_of(theirs.range) && theirs.range.offset < end_of(ours.range);
    });
  });
}

bool is_same_name(const std::string& a, const std::string& b) {
  std::error_code unknown;
  const auto place = [&](const std::string& path) {
    const fs::path entry = fs::absolute(without_links(path));
    return fs::weakly_canonical(entry.parent_path(), unknown) / entry.filename();
  };
  return place(a) == place(b);
}

std::string without_links(std::string path) {
  constexpr int kMaxLinks = 40;
  std::error_code not_a_link;
  for (int i = 0; i < kMaxLinks; ++i) {
    const auto target = fs::read_symlink(path, not_a_link);
    if (not_a_link) return path;
    path = fs::path(path).parent_path() / target;  // an absolute target replaces all
  }
  fail_errno(ELOOP, path + ": open");
}

}  // namespace e2qcow
