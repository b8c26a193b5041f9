// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/live/dump_source.h"

#include <e2qcow/error.h>

#include <utility>

#include "work/live/live_copy.h"

namespace e2qcow::work {
namespace {

// Compression that keeps up with reading may as well be done while the file system is frozen.
bool is_fast(const ImageFormat& format) {
  constexpr int kFastLevel = 3;
  return !format.smallest &&
         (!format.compression || (format.compression->type == qcow2::CompressionType::zstd &&
                                  format.compression->level <= kFastLevel));
}

SurveyOptions survey_options(const DumpOptions& options) {
  return {.kind = options.kind, .transfer = {.threads = options.transfer.threads}};
}

}  // namespace

DumpSource::DumpSource(const DeviceOptions& options, DumpKind kind, Live live) : options_(options) {
  if (live.freeze)
    frozen_ = std::make_unique<FrozenDevice>(
        FrozenDevice::Options{options, kind, *live.freeze, std::move(live.outputs)});
  else if (live.snapshot)
    snapshot_ = std::make_unique<Snapshot>(options, options.notice);
  else
    own_ = std::make_unique<Device>(options);
  device_ = frozen_ ? &frozen_->before() : snapshot_ ? &snapshot_->device() : own_.get();
  if (snapshot_ && device_->journal() != nullptr)
    fail(Errc::refused, options.path + ": its journal is on another device, which is not in the snapshot");
}

void DumpSource::prepare(DumpOptions& options, const std::string& directory, bool to_stream) {
  if (frozen_) return prepare_frozen(options, directory, to_stream);
  if (snapshot_) options.capture = CaptureState::snapshot;
  if (device_->is_in_use()) copy(options, directory);
}

void DumpSource::prepare_frozen(DumpOptions& options, const std::string& directory, bool to_stream) {
  // What is copied is read again after the thaw, and so would be its journal, which is then another one.
  const bool has_journal = frozen_->before().journal() != nullptr;
  if (has_journal && (to_stream || options.verify))
    fail(Errc::refused, device_->name() +
                            ": its journal is on another device, so that a frozen dump of it can neither "
                            "go to standard output nor be verified");
  device_ = &frozen_->freeze(survey_options(options));
  if (!to_stream && !options.verify && (has_journal || is_fast(options.format))) {
    options.transfer.progress = nullptr;  // nothing is printed while it is frozen
    options.notice = frozen_->keep_back();
    options.thaw = [this] { return frozen_->thaw(); };
    return;
  }
  device_ = &frozen_->copy_and_thaw(survey_options(options), directory);
  options.capture = frozen_->thaw();
}

void DumpSource::copy(DumpOptions& options, const std::string& directory) {
  LiveCopy copy = copy_live(options_, survey_options(options), directory);
  options.capture = copy.state;
  own_ = std::make_unique<Device>(options_of_copy(options_, std::move(copy.disk)));
  device_ = own_.get();
}

void DumpSource::tell(const Notice& notice, CaptureState state) const {
  if (frozen_) return frozen_->tell(notice);
  const std::string& name = device_->name();
  if (state == CaptureState::power_failure)
    notice(name + ": is in the image as a power failure would have left it, for its journal to be replayed");
  if (state == CaptureState::unchanged) notice(name + ": was read twice, with the same result");
  if (state == CaptureState::changed)
    notice(name + ": changed while it was read, each time it was tried; the image may not fit together");
}

}  // namespace e2qcow::work
