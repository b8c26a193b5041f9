// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/live/snapshot.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "base/file/cloned_file.h"
#include "base/live/freezer.h"
#include "base/process/child.h"
#include "base/storage.h"
#include "work/live/live_copy.h"
#include "work/live/mounted_device.h"

namespace e2qcow::work {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "e2qcow_";  // of the names of snapshots; without a dash, see beside_volume()

bool is_single_dash(const std::string& name, std::size_t at) {
  const bool follows = at > 0 && name[at - 1] == '-';
  const bool is_followed = at + 1 < name.size() && name[at + 1] == '-';
  return name[at] == '-' && !follows && !is_followed;
}

// Of a run that was killed.
void name_leftovers(const std::string& volume, const Notice& notice) {
  const fs::path pattern = beside_volume(volume, kPrefix);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(pattern.parent_path(), none))
    if (entry.path().filename().string().starts_with(pattern.filename().string()))
      notice(entry.path().string() + ": is a snapshot that an earlier dump has left; lvremove removes it");
}

void run_or_refuse(const std::vector<std::string>& words, const std::string& what) {
  const ChildEnd end = run_child(words, {});
  if (end.status == 0) return;
  const std::string why = end.why.empty() ? fmt::format("it ended with status {}", end.status) : end.why;
  fail(Errc::refused, fmt::format("{}: {}: {}", what, words.front(), why));
}

}  // namespace

std::string beside_volume(const std::string& volume, const std::string& name) {
  const fs::path path(volume);
  if (path.parent_path().filename() != "mapper") return path.parent_path() / name;
  const std::string both = path.filename();
  for (std::size_t at = both.size(); at-- > 0;)
    if (is_single_dash(both, at)) return path.parent_path() / (both.substr(0, at + 1) + name);
  return path.parent_path() / name;
}

Snapshot::Snapshot(const DeviceOptions& options, const Notice& notice) : notice_(notice) {
  const auto [node, directory] = find_mounted(options.path);
  if (!clone_file(options, directory, node))
    make_volume(options, fs::is_directory(options.path) ? node : options.path);
}

// The clone shares all blocks with the file, so that this takes an instant.
bool Snapshot::clone_file(const DeviceOptions& options, const std::string& directory,
                          const std::string& node) {
  const auto stored = stored_ranges(node);
  const bool is_file = stored.size() == 1 && stored.front().is_file && !stored.front().name.empty() &&
                       stored.front().range.offset == 0;
  if (!is_file) return false;
  std::unique_ptr<PosixFile> clone;
  {
    Freezer freezer(directory, std::chrono::seconds(10));
    if (!freezer.freeze()) return false;
    clone = cloned_file(stored.front().name);
    if (freezer.thaw() == Freezer::Thaw::too_early) clone.reset();
  }
  if (!clone) return false;
  DeviceOptions of_node = options;
  of_node.path = node;
  device_ = std::make_unique<Device>(options_of_copy(of_node, std::move(clone)));
  return true;
}

void Snapshot::make_volume(const DeviceOptions& options, const std::string& node) {
  name_leftovers(node, notice_);
  const std::string name = kPrefix + std::to_string(process_id());
  run_or_refuse({"lvcreate", "--quiet", "--snapshot", "--name", name, "--extents", "100%FREE", node},
                node + ": no snapshot can be made: it is no file on a file system that can clone it");
  volume_ = beside_volume(node, name);
  DeviceOptions of_volume = options;
  of_volume.path = volume_;
  try {
    device_ = std::make_unique<Device>(of_volume);
  } catch (...) {
    remove_volume();
    throw;
  }
}

void Snapshot::remove_volume() {
  if (volume_.empty()) return;
  const std::string volume = std::exchange(volume_, "");
  const ChildEnd end = run_child({"lvremove", "--quiet", "--yes", volume}, {});
  if (end.status != 0) notice_(volume + ": the snapshot could not be removed; lvremove removes it");
}

Snapshot::~Snapshot() {
  device_.reset();  // it is open
  remove_volume();
}

}  // namespace e2qcow::work
