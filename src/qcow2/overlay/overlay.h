// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <mutex>

#include "qcow2/overlay/overlay_space.h"
#include "qcow2/overlay/overlay_tables.h"

namespace e2qcow::qcow2 {

// The changes to a disk, in a qcow2 image of their own with the disk's image as its backing file. Safe from
// several threads.
//
// What is written goes to clusters that nothing refers to yet; refcounts, then L2 tables, then the L1 table
// are written when they are flushed. So an overlay whose program is killed has all that was flushed, and
// clusters in vain at worst.
class Overlay {
 public:
  // Whether flush() waits for the disk, so that a power failure takes nothing of what was flushed either.
  enum class Durability { none, synced };

  // Continues an overlay as create_overlay() makes it. It is checked as `check` does: Errc::corrupt where
  // that finds more than leaks, Errc::unsupported where the image has what we do not write. `below`, the disk
  // that is changed, and `file` must outlive it.
  Overlay(File& file, const ImageSource& below, Durability durability);

  std::uint64_t size() const { return header_.size; }

  // The disk with its changes; inside of it.
  void read(std::uint64_t guest_offset, std::span<std::byte> out);
  void write(std::uint64_t guest_offset, std::span<const std::byte> data);
  // Makes the range read as zeros; takes no room where it does so already.
  void zero(Extent guest);

  void flush();

 private:
  Mapping map(std::uint64_t guest_offset);
  void read(const Mapping& mapping, std::uint64_t guest_offset, std::span<std::byte> out);
  L2Entry writable_entry(std::uint64_t guest_offset);
  void write_inside(std::uint64_t guest_offset, std::span<const std::byte> data);
  std::size_t write_whole(std::uint64_t guest_offset, std::span<const std::byte> data);
  std::uint64_t clusters_without_room(Extent guest);
  void zero_inside(Extent guest);
  void zero_whole(Extent guest);
  std::uint64_t first_data(Extent guest);
  void write_tables();
  void sync();

  File& file_;
  const ImageSource& below_;
  const Durability durability_;
  const Header header_;
  const std::uint64_t cluster_size_;
  std::mutex mutex_;  // guards what follows
  OverlaySpace space_;
  OverlayTables tables_;
};

}  // namespace e2qcow::qcow2
