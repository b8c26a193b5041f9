// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/live/live_copy.h"

#include <algorithm>

#include "base/extents.h"
#include "base/file/temporary_file.h"
#include "ext2/journal/log_tail.h"
#include "ext2/journal/recovery.h"
#include "image/compare.h"
#include "image/extent_source.h"

namespace e2qcow::work {
namespace {

using ext2::LogTail;

constexpr int kTries = 3;

std::optional<LogTail> log_tail(const Device& device) {
  return device.filesystem() == nullptr ? std::nullopt : ext2::log_tail(*device.filesystem());
}

// One try.
class Attempt {
 public:
  Attempt(const DeviceOptions& options, const SurveyOptions& survey_options, const std::string& directory)
      : options_(options), survey_options_(survey_options) {
    const Device device(options_);
    before_ = log_tail(device);
    selected_ = survey(device, survey_options_).selected.extents;
    copy_ = std::make_unique<PackedFile>(open_temporary_file(directory), device.name(), device.part().length);
    const auto journal =
        device.filesystem() == nullptr ? std::vector<Extent>() : ext2::journal_extents(*device.filesystem());
    copy_->copy(device.file(), without(selected_, journal), threads());
    copy_->copy(device.file(), inside(selected_, journal), threads());
  }

  CaptureState state() const {
    const Device device(options_);  // a new one: nothing that it remembers is from before
    if (!device.reads_the_disk() || device.journal() != nullptr) return CaptureState::changed;
    if (ext2::has_kept_everything(before_, log_tail(device)) && is_whole_after_replay())
      return CaptureState::power_failure;
    const ExtentSource now(device.file(), selected_);
    const ExtentSource then(*copy_, selected_);
    return first_difference(now, then, survey_options_.transfer) ? CaptureState::changed
                                                                 : CaptureState::unchanged;
  }

  std::unique_ptr<PackedFile> take() && { return std::move(copy_); }

 private:
  unsigned threads() const { return survey_options_.transfer.threads; }

  // What the file system of the copy needs, is here, or is in its journal.
  bool is_whole_after_replay() const {
    const Device device(options_of_copy(options_, std::make_unique<Borrowed>(*copy_)));
    if (device.filesystem() == nullptr) return false;
    const ext2::Geometry& geometry = device.filesystem()->geometry;
    const ext2::Replay replay = ext2::read_journal(*device.filesystem());
    const auto wanted = survey(device, survey_options_).selected.extents;
    return std::ranges::all_of(wanted, [&](const Extent& extent) {
      return copy_->has(extent) || is_in(replay, extent, geometry.block_size());
    });
  }

  bool is_in(const ext2::Replay& replay, Extent extent, std::uint32_t block_size) const {
    for (std::uint64_t offset = extent.offset; offset < extent.end(); offset += block_size)
      if (!copy_->has({offset, std::min<std::uint64_t>(block_size, extent.end() - offset)}) &&
          !replay.blocks.contains(offset / block_size))
        return false;
    return true;
  }

  struct Borrowed : ForwardingFile {
    explicit Borrowed(const ReadableFile& file) : ForwardingFile(file) {}
    void read(std::uint64_t offset, std::span<std::byte> out) const override { below().read(offset, out); }
  };

  const DeviceOptions& options_;
  const SurveyOptions& survey_options_;
  std::optional<LogTail> before_;
  std::vector<Extent> selected_;
  std::unique_ptr<PackedFile> copy_;
};

}  // namespace

// It is only the part.
DeviceOptions options_of_copy(const DeviceOptions& options, std::unique_ptr<ReadableFile> copy) {
  DeviceOptions copied = options;
  copied.offset.reset();
  copied.partition.reset();
  copied.is_frozen = true;
  copied.open_disk = [disk = std::make_shared<std::unique_ptr<ReadableFile>>(std::move(copy))] {
    return std::move(*disk);
  };
  return copied;
}

LiveCopy copy_live(const DeviceOptions& options, const SurveyOptions& survey_options,
                   const std::string& directory) {
  DeviceOptions quiet = options;
  quiet.notice = ignore_notice;
  LiveCopy result;
  for (int i = 0; i < kTries && result.state == CaptureState::changed; ++i) {
    result.disk.reset();  // before the next one needs its room
    Attempt attempt(quiet, survey_options, directory);
    result.state = attempt.state();
    result.disk = std::move(attempt).take();
  }
  return result;
}

}  // namespace e2qcow::work
