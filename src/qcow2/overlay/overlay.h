// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <mutex>

#include "base/durability.h"
#include "qcow2/overlay/overlay_space.h"
#include "qcow2/overlay/overlay_tables.h"

namespace e2qcow::qcow2 {

// The changes to a disk, in a qcow2 image of their own with the disk's image as its backing file. Safe from
// several threads.
//
// Data goes to clusters that nothing refers to yet. A flush writes the refcounts, then the L2 tables, then
// the L1 table. So if the program is killed, the overlay has all that was flushed, and at worst leaked
// clusters.
class Overlay {
 public:
  // Continues an overlay that create_overlay() made. Checks it as `check` does, and throws Errc::corrupt if
  // that finds more than leaks, Errc::unsupported if the image has features that we do not write. `below`,
  // the disk that is changed, and `file` must outlive it. With
  // Durability::synced flush() waits for the disk.
  Overlay(File& file, const ImageSource& below, Durability durability);

  std::uint64_t size() const { return header_.size; }

  // The disk with its changes. Ranges are inside it.
  void read(std::uint64_t guest_offset, std::span<std::byte> out);
  void write(std::uint64_t guest_offset, std::span<const std::byte> data);
  // Makes the range read as zeros. Takes no room for parts that read as zeros already.
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
  std::mutex mutex_;  // guards the members below
  OverlaySpace space_;
  OverlayTables tables_;
};

}  // namespace e2qcow::qcow2
