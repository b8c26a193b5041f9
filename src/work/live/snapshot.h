// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "work/device.h"
#include "work/notice.h"

namespace e2qcow::work {

// A copy of a mounted device that does not change, for as long as the object lives: a clone of the file that
// a loop device shows, made while its file system is frozen for an instant; or a snapshot of a logical volume
// of LVM, made by lvcreate and removed by lvremove.
class Snapshot {
 public:
  // Starts a process, so there must be no threads yet. Throws Errc::refused if neither is possible.
  Snapshot(const DeviceOptions& options, const Notice& notice);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const Device& device() const { return *device_; }

 private:
  bool clone_file(const DeviceOptions& options, const std::string& directory, const std::string& node);
  void make_volume(const DeviceOptions& options, const std::string& node);
  void remove_volume();

  const Notice notice_;
  std::string volume_;  // to be removed; empty: none
  std::unique_ptr<Device> device_;
};

// Where the snapshot `name` of a logical volume is: "/dev/group/name" beside "/dev/group/volume",
// "/dev/mapper/group-name" beside "/dev/mapper/group-volume", where a dash in a name is doubled.
std::string beside_volume(const std::string& volume, const std::string& name);

}  // namespace e2qcow::work
