// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/live/frozen_device.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/extents.h"
#include "base/file/packed_file.h"
#include "base/file/partly_direct_file.h"
#include "base/file/temporary_file.h"
#include "base/live/dependence.h"
#include "base/mounts.h"
#include "ext2/journal/recovery.h"
#include "work/live/live_copy.h"
#include "work/live/mounted_device.h"

namespace e2qcow::work {
namespace {

std::string seconds(Freezer::Milliseconds time) {
  return fmt::format("{:.2f} s", std::chrono::duration<double>(time).count());
}

// How long reading takes, from reading some of it past the cache.
Freezer::Milliseconds estimated_time(const Device& device, const std::vector<Extent>& extents) {
  constexpr std::uint64_t kSample = 32 << 20;
  constexpr std::uint64_t kPiece = 1 << 20;
  std::vector<std::byte> bytes(kPiece);
  std::uint64_t read = 0;
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t step = std::max<std::uint64_t>(1, extents.size() * kPiece / kSample);
  for (std::uint64_t i = 0; i < extents.size() && read < kSample; i += step) {
    const auto part = std::span(bytes).first(std::min(kPiece, extents[i].length));
    device.file().read(extents[i].offset, part);
    read += part.size();
  }
  const auto time = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin);
  const double ratio =
      static_cast<double>(total_length(extents)) / static_cast<double>(std::max<std::uint64_t>(1, read));
  return Freezer::Milliseconds(static_cast<std::int64_t>(time.count() * ratio));
}

}  // namespace

FrozenDevice::FrozenDevice(Options options)
    : options_(std::move(options)), freezer_(find_mounted(options_.device.path).directory, options_.limit) {
  options_.device.path = find_mounted(options_.device.path).node;
  options_.device.is_frozen = true;
  options_.device.past_cache = options_.kind == DumpKind::all || !are_links_cached();
  options_.device.notice = keep_back();
  refuse_outputs();
  device_ = std::make_unique<Device>(options_.device);
  kept_back_.clear();  // is said again
}

Notice FrozenDevice::keep_back() {
  return [this](const std::string& line) { kept_back_.push_back(line); };
}

void FrozenDevice::refuse(const std::string& what) const {
  fail(Errc::refused,
       fmt::format("{}: is on the file system that would be frozen ({}), and writing to it would wait", what,
                   options_.device.path));
}

void FrozenDevice::refuse_output(const std::string& output) const {
  if (!output.empty() && output != "-" && depends_on(output, freezer_.device())) refuse(output);
}

void FrozenDevice::refuse_outputs() const {
  for (const std::string& output : options_.outputs) refuse_output(output);
  const std::string temporary = temporary_directory();
  if (depends_on(temporary + "/file", freezer_.device()))
    refuse(temporary + " (for temporary files; see TMPDIR)");
  for (const std::string& file : open_files_on(freezer_.device())) refuse(file);
  for (const std::string& file : swap_files_on(freezer_.device())) refuse(file + " (swap)");
}

void FrozenDevice::refuse_long_freeze(const Survey& survey) const {
  const auto time = estimated_time(*device_, survey.selected.extents);
  if (time > options_.limit)
    fail(Errc::refused,
         fmt::format("{}: reading {} bytes would take about {}, and it may be frozen for {}",
                     options_.device.path, survey.selected.bytes(), seconds(time), seconds(options_.limit)));
}

const Device& FrozenDevice::freeze(const SurveyOptions& options) {
  const Survey warm = survey(*device_, options);
  if (options.kind == DumpKind::all) refuse_long_freeze(warm);
  was_frozen_by_others_ = !freezer_.freeze();
  device_ = std::make_unique<Device>(options_.device);
  if (device_->is_cached() && device_->filesystem() != nullptr) read_journal_past_cache();
  return *device_;
}

// The kernel changes its superblock in the cache long before it writes it, with its checksum; and the log
// itself goes past the cache.
void FrozenDevice::read_journal_past_cache() {
  const auto journal = ext2::journal_extents(*device_->filesystem());
  DeviceOptions past_cache = options_.device;
  past_cache.open_disk = [&]() -> std::unique_ptr<ReadableFile> {
    return std::make_unique<PartlyDirectFile>(open_for_reading(past_cache.path), journal);
  };
  kept_back_.clear();  // is said again
  device_ = std::make_unique<Device>(past_cache);
}

const Device& FrozenDevice::copy_and_thaw(const SurveyOptions& options, const std::string& directory) {
  const Survey found = survey(*device_, options);
  auto copy = std::make_unique<PackedFile>(open_temporary_file(directory), device_->name(), device_->size());
  copy->copy(device_->file(), found.selected.extents, options.transfer.threads);
  thaw();
  kept_back_.clear();
  device_ = std::make_unique<Device>(options_of_copy(options_.device, std::move(copy)));
  return *device_;
}

CaptureState FrozenDevice::thaw() {
  if (freezer_.thaw() == Freezer::Thaw::too_early) state_ = CaptureState::thawed_early;
  return state_;
}

void FrozenDevice::tell(const Notice& notice) const {
  for (const std::string& line : kept_back_) notice(line);
  if (was_frozen_by_others_)
    notice(options_.device.path + ": was frozen by another program, and still is (fsfreeze -u thaws it)");
  else if (state_ == CaptureState::thawed_early)
    notice(fmt::format(
        "{}: was thawed after {}, before everything was read; what was read after that may not fit",
        options_.device.path, seconds(freezer_.duration())));
  else
    notice(fmt::format("{}: was frozen for {}", options_.device.path, seconds(freezer_.duration())));
}

}  // namespace e2qcow::work
