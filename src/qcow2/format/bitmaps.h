// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qcow2/format/fault.h"
#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// The bitmaps extension: how many bitmaps there are, and the host range of their directory. qcow2 spec,
// "Bitmaps extension"
struct BitmapDirectory {
  std::uint32_t bitmaps = 0;
  Extent host;
};
// Absent if it is not valid.
std::optional<BitmapDirectory> decode_bitmap_directory(std::span<const std::byte> extension);

// An entry of the directory, not checked. qcow2 spec, "Bitmap directory"
struct Bitmap {
  static constexpr std::uint32_t kInUse = 1 << 0;
  static constexpr std::uint32_t kKnownFlags = 3;
  static constexpr std::uint8_t kDirtyTracking = 1;

  std::uint64_t table_offset = 0;
  std::uint32_t table_entries = 0;
  std::uint32_t flags = 0;
  std::uint8_t type = 0;
  std::uint32_t granularity_bits = 0;
  std::uint64_t extra_bytes = 0;
  std::string name;

  bool is_in_use() const { return (flags & kInUse) != 0; }
};

// Whether QEMU would accept the entry.
bool is_valid(const Bitmap& bitmap, const Header& header);

// The directory, which is inside the file. `problem` is told what is wrong with it as a whole.
std::vector<Bitmap> read_bitmaps(const ReadableFile& file, const BitmapDirectory& directory,
                                 const std::function<void(const Fault&)>& problem);

// An entry of a bitmap's table. qcow2 spec, "Bitmap table": bit 0 means ones and excludes an offset.
class BitmapTableEntry {
 public:
  explicit constexpr BitmapTableEntry(std::uint64_t raw) : raw_(raw) {}

  constexpr std::uint64_t host_offset() const { return raw_ & kOffsetMask; }
  constexpr bool has_reserved_bits() const { return raw_ != kAllOnes && (raw_ & ~kOffsetMask) != 0; }

 private:
  static constexpr std::uint64_t kOffsetMask = 0x00ff'ffff'ffff'fe00;
  static constexpr std::uint64_t kAllOnes = 1;
  std::uint64_t raw_;
};

}  // namespace e2qcow::qcow2
