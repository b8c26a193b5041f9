#include "qcow2/bitmap_check.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "base/stop.h"
#include "qcow2/table_pieces.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kBitmapsAreConsistent = 1 << 0;  // autoclear feature
constexpr std::size_t kExtensionBytes = 24;
constexpr std::uint64_t kMaxDirectoryBytes = 64 << 20;  // QEMU's limits, here and below
constexpr std::uint64_t kMaxBitmapBytes = 512 << 20;
constexpr std::uint32_t kMinGranularityBits = 9;
constexpr std::uint32_t kMaxGranularityBits = 31;
constexpr std::uint32_t kMaxNameBytes = 1023;

struct Directory {
  std::uint32_t bitmaps = 0;
  std::uint32_t reserved = 0;
  Extent host;
};

Directory decode_directory(std::span<const std::byte> extension) {
  Directory directory;
  directory.bitmaps = load_be<std::uint32_t>(extension, 0);
  directory.reserved = load_be<std::uint32_t>(extension, 4);
  directory.host = {load_be<std::uint64_t>(extension, 16), load_be<std::uint64_t>(extension, 8)};
  return directory;
}

struct Bitmap {
  static constexpr std::size_t kFixedBytes = 24;
  static constexpr std::uint32_t kInUse = 1 << 0;
  static constexpr std::uint32_t kKnownFlags = 3;
  static constexpr std::uint8_t kDirtyTracking = 1;

  std::uint64_t table_offset = 0;
  std::uint32_t table_entries = 0;
  std::uint32_t flags = 0;
  std::uint8_t type = 0;
  std::uint32_t granularity_bits = 0;
  std::uint32_t name_bytes = 0;
  std::uint64_t extra_bytes = 0;
  std::uint64_t entry_bytes = 0;  // with extra data, name and padding
};

Bitmap decode_bitmap(std::span<const std::byte> bytes) {
  Bitmap bitmap;
  bitmap.table_offset = load_be<std::uint64_t>(bytes, 0);
  bitmap.table_entries = load_be<std::uint32_t>(bytes, 8);
  bitmap.flags = load_be<std::uint32_t>(bytes, 12);
  bitmap.type = load_be<std::uint8_t>(bytes, 16);
  bitmap.granularity_bits = load_be<std::uint8_t>(bytes, 17);
  bitmap.name_bytes = load_be<std::uint16_t>(bytes, 18);
  bitmap.extra_bytes = load_be<std::uint32_t>(bytes, 20);
  bitmap.entry_bytes = round_up(Bitmap::kFixedBytes + bitmap.extra_bytes + bitmap.name_bytes, 8);
  return bitmap;
}

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
         bitmap.granularity_bits <= kMaxGranularityBits && bitmap.name_bytes != 0 &&
         bitmap.name_bytes <= kMaxNameBytes && has_right_size(bitmap, image);
}

// A bitmap table entry is like that of an L2 table without a COPIED flag; bit 0 means ones and excludes an
// offset.
void add_table_entry(ImageCheck& image, std::uint64_t raw, const Origin& origin) {
  const bool has_no_cluster = raw <= 1;  // all zeros or all ones
  if (has_no_cluster) return;
  const L2Entry entry(raw);
  if (entry.compressed() || entry.copied() || entry.reads_as_zeros() || entry.has_reserved_bits()) {
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

void add_directory_entries(ImageCheck& image, std::span<const std::byte> bytes, std::uint32_t bitmaps) {
  const Origin origin{"bitmap directory"};
  std::uint32_t number = 0;
  while (!bytes.empty()) {
    throw_if_stopped();
    Bitmap bitmap;
    if (bytes.size() >= Bitmap::kFixedBytes) bitmap = decode_bitmap(bytes);
    if (bitmap.entry_bytes == 0 || bitmap.entry_bytes > bytes.size()) {
      image.report.corruption(origin, "it ends inside an entry");
      return;
    }
    add_bitmap(image, bitmap, ++number);
    bytes = bytes.subspan(bitmap.entry_bytes);
  }
  if (number != bitmaps) image.report.corruption(origin, "it has {} entries instead of {}", number, bitmaps);
}

}  // namespace

void add_bitmaps(ImageCheck& image) {
  const auto extension = std::ranges::find(image.extensions, kBitmaps, &Extension::type);
  if (extension == image.extensions.end()) return;
  // qcow2 spec, "autoclear_features": somebody who does not know bitmaps has written to the image, the
  // extension means nothing any more, and its clusters are leaks.
  if ((image.header.autoclear_features & kBitmapsAreConsistent) == 0) return;
  const Origin origin{"bitmaps extension"};
  if (extension->data.size() != kExtensionBytes) {
    image.report.corruption(origin, "it has {} bytes instead of {}", extension->data.size(), kExtensionBytes);
    return;
  }
  const Directory directory = decode_directory(extension->data);
  if (directory.bitmaps == 0 || directory.reserved != 0 || directory.host.length > kMaxDirectoryBytes) {
    image.report.corruption(origin, "{} bitmaps in a directory of {} bytes make no sense", directory.bitmaps,
                            directory.host.length);
    return;
  }
  if (!image.add_metadata(ClusterUse::bitmap_directory, directory.host, origin)) return;
  std::vector<std::byte> bytes(directory.host.length);
  image.file.read(directory.host.offset, bytes);
  add_directory_entries(image, bytes, directory.bitmaps);
}

}  // namespace e2qcow::qcow2
