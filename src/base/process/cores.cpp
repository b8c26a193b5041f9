// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

namespace e2qcow {
namespace {

namespace fs = std::filesystem;

// A hierarchy of control groups as it is mounted.
struct Hierarchy {
  bool is_v2;
  std::string root;  // the group that is seen at the mount point
  fs::path point;
};

// Whether a list as "rw,cpu,cpuacct" has the word.
bool has_word(const std::string& list, const std::string& word) {
  std::istringstream words(list);
  for (std::string each; std::getline(words, each, ',');)
    if (each == word) return true;
  return false;
}

// "35 25 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"; source: proc(5), /proc/PID/mountinfo
std::vector<Hierarchy> hierarchies(const std::string& root) {
  std::vector<Hierarchy> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string skipped, mounted, point, word, type, options;
    words >> skipped >> skipped >> skipped >> mounted >> point;
    while (words >> word && word != "-") {
    }
    words >> type >> skipped >> options;
    const bool is_v2 = type == "cgroup2";
    if (words && (is_v2 || (type == "cgroup" && has_word(options, "cpu"))))
      found.push_back({is_v2, mounted, root + point});
  }
  return found;
}

// The group of this process: "0::/user.slice" in version 2, "3:cpu,cpuacct:/user.slice" in version 1.
std::optional<std::string> group_in(const std::string& root, bool is_v2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (is_v2 ? controllers.empty() : has_word(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<double> ratio(std::int64_t quota, std::int64_t period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  return static_cast<double>(quota) / static_cast<double>(period);
}

std::optional<double> quota_of(const fs::path& group, bool is_v2) {
  std::int64_t quota = 0;
  std::int64_t period = 0;
  if (is_v2)
    std::ifstream(group / "cpu.max") >> quota >> period;  // "max 100000" is no number
  else if (!(std::ifstream(group / "cpu.cfs_quota_us") >> quota) ||
           !(std::ifstream(group / "cpu.cfs_period_us") >> period))
    return std::nullopt;
  return ratio(quota, period);
}

// Where a container does not see its own group's name, the mount point is its group.
fs::path directory_of(const Hierarchy& hierarchy, const std::string& group) {
  const std::string& root = hierarchy.root;
  if (root == "/") return hierarchy.point / fs::path(group).relative_path();
  const bool is_below = group.starts_with(root) && (group.size() == root.size() || group[root.size()] == '/');
  return is_below ? hierarchy.point / fs::path(group.substr(root.size())).relative_path() : hierarchy.point;
}

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

double least_quota(const Hierarchy& hierarchy, const std::string& group) {
  fs::path directory = directory_of(hierarchy, group).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  double least = kUnlimited;
  while (true) {
    least = std::min(least, quota_of(directory, hierarchy.is_v2).value_or(kUnlimited));
    if (directory == hierarchy.point || directory == directory.parent_path()) return least;
    directory = directory.parent_path();
  }
}

unsigned cores_of_affinity() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace

std::optional<unsigned> cores_of_quota(const std::string& root) {
  double least = kUnlimited;
  for (const Hierarchy& hierarchy : hierarchies(root))
    if (const auto group = group_in(root, hierarchy.is_v2))
      least = std::min(least, least_quota(hierarchy, *group));
  constexpr double kMost = 1 << 20;
  if (least > kMost) return std::nullopt;
  return static_cast<unsigned>(std::max(1.0, std::ceil(least)));
}

unsigned usable_cores() {
  const unsigned cores = cores_of_affinity();
  return std::min(cores, cores_of_quota("").value_or(cores));
}

}  // namespace e2qcow
