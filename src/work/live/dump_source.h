// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "work/dump.h"
#include "work/live/frozen_device.h"
#include "work/live/snapshot.h"

namespace e2qcow::work {

// The device of a dump, which may be mounted read-write.
class DumpSource {
 public:
  // What is done to a device that is mounted.
  struct Live {
    std::optional<Freezer::Milliseconds> freeze{};  // for how long at most; absent: not at all
    bool snapshot = false;                          // make one, and dump that
    std::vector<std::string> outputs{};             // as for FrozenDevice
  };
  // Starts a process if the device is to be frozen, or a snapshot made, so there must be no threads yet.
  DumpSource(const DeviceOptions& options, DumpKind kind, Live live);

  // Before prepare(): the device as it is. Afterwards: what is to be dumped, the device or a copy of it.
  const Device& device() const { return *device_; }

  // Refuses another output, by its name, if writing it would wait for the thaw.
  void refuse_output(const std::string& output) const {
    if (frozen_) frozen_->refuse_output(output);
  }

  // Makes it ready, and completes the options: now it is frozen, or copied. `directory` has room for a copy.
  void prepare(DumpOptions& options, const std::string& directory, bool to_stream);

  // What has to be said of the state it was in. After the dump.
  void tell(const Notice& notice, CaptureState state) const;

 private:
  void prepare_frozen(DumpOptions& options, const std::string& directory, bool to_stream);
  void copy(DumpOptions& options, const std::string& directory);

  DeviceOptions options_;
  std::unique_ptr<FrozenDevice> frozen_;  // null: it is not to be frozen
  std::unique_ptr<Snapshot> snapshot_;    // null: there is none
  std::unique_ptr<Device> own_;           // null if one of them is
  const Device* device_;
};

}  // namespace e2qcow::work
