// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/live/freezer.h"
#include "image/dump_record.h"
#include "work/device.h"
#include "work/survey.h"

namespace e2qcow::work {

// A device whose file system is frozen while it is read, and not longer.
class FrozenDevice {
 public:
  struct Options {
    DeviceOptions device;
    DumpKind kind;
    Freezer::Milliseconds limit;
    std::vector<std::string> outputs{};  // names of all files that will be written; "-" is standard output
  };
  // Nothing is frozen yet. Starts a process, so there must be no threads yet. Throws Errc::refused if the
  // device is not mounted, or who writes an output, or to a file that is open, would wait for the thaw.
  explicit FrozenDevice(Options options);

  // Errc::refused if who writes the output would wait for the thaw. For those that are known later.
  void refuse_output(const std::string& output) const;

  // As it is now, which may change.
  const Device& before() const { return *device_; }

  // Reads what a dump will read, so that it is in memory; then freezes. What is said from now on is kept
  // back. With DumpKind::all: throws Errc::refused if reading will take longer than the limit.
  const Device& freeze(const SurveyOptions& options);
  // Instead of writing the dump right away: copies into a file of its own in `directory` what a dump needs,
  // thaws, and gives the copy.
  const Device& copy_and_thaw(const SurveyOptions& options, const std::string& directory);

  CaptureState thaw();
  // For what is to be said while it is frozen.
  Notice keep_back();
  // What was kept back, and how long it was frozen. After thaw().
  void tell(const Notice& notice) const;

 private:
  [[noreturn]] void refuse(const std::string& what) const;
  void refuse_outputs() const;
  void read_journal_past_cache();
  void refuse_long_freeze(const Survey& survey) const;

  Options options_;
  Freezer freezer_;
  std::vector<std::string> kept_back_;
  bool was_frozen_by_others_ = false;
  CaptureState state_ = CaptureState::frozen;
  std::unique_ptr<Device> device_;
};

}  // namespace e2qcow::work
