// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/bitmaps.h"

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::size_t kExtensionBytes = 24;
constexpr std::uint64_t kMaxDirectoryBytes = 64 << 20;  // QEMU's limit
constexpr std::size_t kFixedBytes = 24;
constexpr std::uint64_t kMaxBitmapBytes = 512 << 20;  // this and the following: QEMU's limits
constexpr std::uint32_t kMinGranularityBits = 9;
constexpr std::uint32_t kMaxGranularityBits = 31;
constexpr std::uint32_t kMaxNameBytes = 1023;

struct Sizes {
  std::uint64_t extra;
  std::uint64_t name;
  std::uint64_t all() const { return round_up(kFixedBytes + extra + name, 8); }
};

Sizes sizes_of(std::span<const std::byte> entry) {
  return {load_be<std::uint32_t>(entry, 20), load_be<std::uint16_t>(entry, 18)};
}

Bitmap decode(std::span<const std::byte> entry) {
  const Sizes sizes = sizes_of(entry);
  Bitmap bitmap;
  bitmap.table_offset = load_be<std::uint64_t>(entry, 0);
  bitmap.table_entries = load_be<std::uint32_t>(entry, 8);
  bitmap.flags = load_be<std::uint32_t>(entry, 12);
  bitmap.type = load_be<std::uint8_t>(entry, 16);
  bitmap.granularity_bits = load_be<std::uint8_t>(entry, 17);
  bitmap.extra_bytes = sizes.extra;
  bitmap.name.assign(reinterpret_cast<const char*>(entry.data()) + kFixedBytes + sizes.extra, sizes.name);
  return bitmap;
}

// A bitmap that was in use may be as large as the disk was when the bitmap was written.
bool has_right_size(const Bitmap& bitmap, const Header& header) {
  const std::uint64_t bits = divide_up(header.size, 1ULL << bitmap.granularity_bits);
  const std::uint64_t clusters = divide_up(divide_up(bits, 8), header.geometry().cluster_size());
  return bitmap.is_in_use() || bitmap.table_entries == clusters;
}

}  // namespace

// Extra data, and the flag for it, is not defined yet, and QEMU refuses it.
bool is_valid(const Bitmap& bitmap, const Header& header) {
  return bitmap.table_offset != 0 && bitmap.table_entries != 0 &&
         bitmap.table_entries <= kMaxBitmapBytes / header.geometry().cluster_size() &&
         (bitmap.flags & ~Bitmap::kKnownFlags) == 0 && bitmap.extra_bytes == 0 &&
         bitmap.type == Bitmap::kDirtyTracking && bitmap.granularity_bits >= kMinGranularityBits &&
         bitmap.granularity_bits <= kMaxGranularityBits && !bitmap.name.empty() &&
         bitmap.name.size() <= kMaxNameBytes && has_right_size(bitmap, header);
}

std::optional<BitmapDirectory> decode_bitmap_directory(std::span<const std::byte> extension) {
  if (extension.size() != kExtensionBytes) return std::nullopt;
  const BitmapDirectory directory{
      load_be<std::uint32_t>(extension, 0),
      {load_be<std::uint64_t>(extension, 16), load_be<std::uint64_t>(extension, 8)}};
  const auto reserved = load_be<std::uint32_t>(extension, 4);
  if (directory.bitmaps == 0 || reserved != 0 || directory.host.length > kMaxDirectoryBytes)
    return std::nullopt;
  return directory;
}

std::vector<Bitmap> read_bitmaps(const ReadableFile& file, const BitmapDirectory& directory,
                                 const std::function<void(const Fault&)>& problem) {
  std::vector<std::byte> bytes(directory.host.length);
  file.read(directory.host.offset, bytes);
  std::vector<Bitmap> bitmaps;
  for (std::span<const std::byte> rest = bytes; !rest.empty();) {
    throw_if_stopped();
    if (rest.size() < kFixedBytes || sizes_of(rest).all() > rest.size()) {
      problem({Fault::Kind::corrupt, "it ends inside an entry"});
      return bitmaps;
    }
    bitmaps.push_back(decode(rest));
    rest = rest.subspan(sizes_of(rest).all());
  }
  if (bitmaps.size() != directory.bitmaps)
    problem(
        {Fault::Kind::corrupt, "it has {0} entries, but the extension has another number", bitmaps.size()});
  return bitmaps;
}

}  // namespace e2qcow::qcow2
