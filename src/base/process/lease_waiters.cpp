// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/lease_waiters.h"

#include <cstdlib>
#include <iterator>
#include <set>
#include <sstream>

namespace e2qcow {
namespace {

// A line of /proc/locks: "1: LEASE BREAKING UNLCK PID DEVICE:INODE 0 EOF", and after it
// "1: -> LEASE BREAKER WRITE PID <none>:0 0 EOF" for each process that waits.
struct Line {
  bool waits = false;
  bool is_lease = false;
  std::string process{};
  std::string file{};
};

std::vector<Line> parse(const std::string& locks) {
  std::vector<Line> lines;
  std::istringstream in(locks);
  for (std::string text; std::getline(in, text);) {
    std::istringstream line(text);
    std::vector<std::string> words(std::istream_iterator<std::string>(line), {});
    const bool waits = words.size() > 1 && words[1] == "->";
    if (waits) words.erase(words.begin() + 1);
    if (words.size() >= 6) lines.push_back({waits, words[1] == "LEASE", words[4], words[5]});
  }
  return lines;
}

// Files of other devices may have the same number; the device is not compared, because that of stat(2) is
// another one on btrfs.
std::set<std::string> files_of(const std::vector<Line>& lines, const std::string& holder, ino_t inode) {
  const std::string ending = std::string(":").append(std::to_string(inode));
  std::set<std::string> files;
  for (const Line& line : lines)
    if (!line.waits && line.is_lease && line.process == holder && line.file.ends_with(ending))
      files.insert(line.file);
  return files;
}

}  // namespace

// A process waits for one lease at a time, which may be another holder's on the same file.
std::vector<pid_t> lease_waiters(const std::string& locks, pid_t holder, ino_t inode) {
  const std::vector<Line> lines = parse(locks);
  const std::set<std::string> files = files_of(lines, std::to_string(holder), inode);
  std::vector<pid_t> waiters;
  bool is_ours = false;
  for (const Line& line : lines) {
    if (!line.waits) is_ours = line.is_lease && files.contains(line.file);
    if (line.waits && line.is_lease && is_ours) waiters.push_back(std::atoi(line.process.c_str()));
  }
  return waiters;
}

}  // namespace e2qcow
