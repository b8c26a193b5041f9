// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/durability.h"
#include "base/file/posix_file.h"
#include "plugin/settings.h"
#include "qcow2/overlay/overlay.h"
#include "qcow2/overlay/overlay_format.h"
#include "qcow2/read/cached_disk.h"
#include "qcow2/read/chain_files.h"

namespace e2qcow::plugin {

// The disk in an image, with the changes made to it. Safe from several threads.
class OpenImage {
 public:
  // Opens the image by the name that the user gives it. Throws Errc::not_qcow2; Errc::ambiguous if the file
  // also looks like a raw disk with an ext file system.
  OpenImage(const std::string& path, const Settings& settings);

  std::uint64_t size() const { return disk_->size(); }
  // Whether `path` is the same file or device, by whatever name.
  bool is_stored_at(const std::string& path) const;

  // Call it before the first write. Throws if the overlay cannot be created or continued.
  void make_writable();
  // If the disk is shown without the overlay that the user has named: why. Empty if it is not.
  std::string missed_overlay() const;
  // Whether the changes are in a temporary file, and are lost at the end of this object.
  bool has_own_changes() const { return has_own_changes_; }
  const std::string& name() const { return path_; }

  // Inside the disk.
  void read(std::uint64_t guest_offset, std::span<std::byte> out);
  void write(std::uint64_t guest_offset, std::span<const std::byte> data);
  void zero(Extent guest);
  void flush();
  void prefetch(Extent guest) { disk_->prefetch(guest); }

  // Called around a fork. The child cannot write: the overlay belongs to the process that opened it.
  void before_fork() { disk_->stop_thread(); }
  void in_child() { is_child_ = true; }

 private:
  struct Changes {
    std::unique_ptr<PosixFile> file;
    std::unique_ptr<qcow2::Overlay> overlay;
  };
  std::string find_named_overlay() const;
  void read_named_overlay();
  void read_temporary_overlay();
  void read_overlay(std::unique_ptr<PosixFile> file);
  void open_named_overlay();
  bool open_temporary_overlay();
  void open_own_overlay();
  void use(std::unique_ptr<PosixFile> file, Durability durability);
  bool is_based_on_us(const PosixFile& overlay) const;
  qcow2::OverlayBase base(const std::string& name) const;
  qcow2::Overlay& to_write();

  const Settings settings_;
  const std::string path_;  // absolute, links resolved
  qcow2::OpenChain chain_;
  std::unique_ptr<qcow2::CachedDisk> disk_;
  const std::string named_overlay_;  // empty: none
  std::string missed_;               // what keeps it from being read; empty: nothing
  std::mutex mutex_;                 // guards the creation of the members below
  Changes to_read_;                  // as others have left them
  Changes to_change_;
  std::atomic<qcow2::Overlay*> overlay_{nullptr};  // the one in use, if any
  std::atomic<bool> has_own_changes_{false};
  std::atomic<bool> is_child_{false};
};

}  // namespace e2qcow::plugin
