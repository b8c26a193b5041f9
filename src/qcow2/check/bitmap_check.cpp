// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/bitmap_check.h"

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/format/bitmaps.h"
#include "qcow2/format/table_reading.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kMaxBitmapBytes = 512 << 20;  // QEMU's limits
constexpr std::uint32_t kMinGranularityBits = 9;
constexpr std::uint32_t kMaxGranularityBits = 31;
constexpr std::uint32_t kMaxNameBytes = 1023;

// A bitmap that was in use may be as large as the disk was when it was written.
bool has_right_size(const Bitmap& bitmap, const ImageCheck& image) {
  const std::uint64_t bits = divide_up(image.header.size, 1ULL << bitmap.granularity_bits);
  const std::uint64_t clusters = divide_up(divide_up(bits, 8), image.geometry.cluster_size());
  return (bitmap.flags & Bitmap::kInUse) != 0 || bitmap.table_entries == clusters;
}

// Extra data, and the flag that goes with it, is not defined yet, and QEMU refuses it.
bool makes_sense(const Bitmap& bitmap, const ImageCheck& image) {
  return bitmap.table_offset != 0 && bitmap.table_entries != 0 &&
         bitmap.table_entries <= kMaxBitmapBytes / image.geometry.cluster_size() &&
         (bitmap.flags & ~Bitmap::kKnownFlags) == 0 && bitmap.extra_bytes == 0 &&
         bitmap.type == Bitmap::kDirtyTracking && bitmap.granularity_bits >= kMinGranularityBits &&
         bitmap.granularity_bits <= kMaxGranularityBits && !bitmap.name.empty() &&
         bitmap.name.size() <= kMaxNameBytes && has_right_size(bitmap, image);
}

// A bitmap table entry is like that of an L2 table without a COPIED flag; bit 0 means ones and excludes an
// offset.
void add_table_entry(ImageCheck& image, std::uint64_t raw, const Origin& origin) {
  const bool has_no_cluster = raw <= 1;  // all zeros or all ones
  if (has_no_cluster) return;
  const L2Entry entry(raw);
  if (entry.compressed() || entry.copied() || entry.reads_as_zeros() || entry.has_reserved_bits({})) {
    image.report.corruption(origin, "{:#x} has reserved bits set", raw);
    return;
  }
  image.add_metadata(ClusterUse::bitmap_data, {entry.host_offset(), image.geometry.cluster_size()}, origin);
}

void add_bitmap(ImageCheck& image, const Bitmap& bitmap, std::uint64_t number) {
  const Origin origin{"bitmap", number};
  if (!makes_sense(bitmap, image)) {
    image.report.corruption(origin, "its entry in the bitmap directory makes no sense");
    return;
  }
  const Extent table{bitmap.table_offset, bitmap.table_entries * sizeof(std::uint64_t)};
  if (!image.add_metadata(ClusterUse::bitmap_table, table, origin)) return;
  for_each_entry(image.file, table.offset, bitmap.table_entries, [&](std::uint64_t index, std::uint64_t raw) {
    add_table_entry(image, raw, {"bitmap table entry", index});
  });
}

}  // namespace

void add_bitmaps(ImageCheck& image) {
  const auto extension = std::ranges::find(image.extensions, kBitmaps, &Extension::type);
  if (extension == image.extensions.end()) return;
  const Origin origin{"bitmaps extension"};
  const auto directory = decode_bitmap_directory(extension->data);
  if (!directory) {
    image.report.corruption(origin, "it makes no sense");
    return;
  }
  // qcow2 spec, "autoclear_features": somebody who does not know bitmaps has written to the image, the
  // extension means nothing any more, and its clusters are leaks.
  if ((image.header.autoclear_features & kBitmapsAreConsistent) == 0) return;
  if (!image.add_metadata(ClusterUse::bitmap_directory, directory->host, origin)) return;
  const auto problem = [&](const std::string& text) {
    image.report.corruption({"bitmap directory"}, "{}", text);
  };
  std::uint64_t number = 0;
  for (const Bitmap& bitmap : read_bitmaps(image.file, *directory, problem))
    add_bitmap(image, bitmap, ++number);
}

}  // namespace e2qcow::qcow2
