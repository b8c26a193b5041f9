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

namespace e2qcow::qcow2 {

// Where the bitmaps extension says that the bitmaps are listed. qcow2 spec, "Bitmaps extension"
struct BitmapDirectory {
  std::uint32_t bitmaps = 0;
  Extent host;
};
// Absent where it makes no sense.
std::optional<BitmapDirectory> decode_bitmap_directory(std::span<const std::byte> extension);

// An entry of the directory, as it stands there. qcow2 spec, "Bitmap directory"
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
};

// The directory, which lies inside the file. `problem` is told where it does not hold what it should.
std::vector<Bitmap> read_bitmaps(const ReadableFile& file, const BitmapDirectory& directory,
                                 const std::function<void(const std::string&)>& problem);

}  // namespace e2qcow::qcow2
