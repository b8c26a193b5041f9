// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/descriptor_checksums.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {
namespace {

// Offsets. Source: <ext2fs/ext2_fs.h>, struct ext4_group_desc
constexpr std::size_t kBlockBitmapLow = 0x18;
constexpr std::size_t kBlockBitmapHigh = 0x38;
constexpr std::size_t kInodeBitmapLow = 0x1a;
constexpr std::size_t kInodeBitmapHigh = 0x3a;
constexpr std::size_t kChecksum = 0x1e;

// The UUID's, the number of the group and the descriptor being the same.
std::uint16_t crc16_difference(const StrictRules& strict, const Superblock& superblock, std::size_t size) {
  const auto old = std::as_bytes(std::span(superblock.raw.s_uuid));
  std::vector<std::byte> difference(old.begin(), old.end());
  strict.replace_uuid(difference);
  for (std::size_t i = 0; i < old.size(); ++i) difference[i] ^= old[i];
  difference.resize(difference.size() + SeedDifference::kGroupNumber + size - sizeof(std::uint16_t));
  return crc16(0, difference);
}

}  // namespace

DescriptorChecksums::DescriptorChecksums(const StrictRules& strict, const Filesystem& filesystem)
    : is_needed_(strict.is_strict() && filesystem.descriptors.has_checksums()),
      size_(filesystem.geometry.descriptor_size()),
      is_crc32c_(filesystem.superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)),
      seed_(strict.seed_difference()) {
  if (!is_needed_) return;
  const auto of_bitmap = [&](std::uint64_t bits) {
    return seed_.after(std::min<std::uint64_t>(bits / 8, filesystem.geometry.block_size()));
  };
  of_block_bitmaps_ = of_bitmap(filesystem.superblock.raw.s_clusters_per_group);
  of_inode_bitmaps_ = of_bitmap(filesystem.geometry.inodes_per_group());
  of_crc16_ = crc16_difference(strict, filesystem.superblock, size_);
}

void DescriptorChecksums::patch(std::span<std::byte> descriptors) const {
  if (!is_needed_) return;
  for (std::size_t i = 0; i + size_ <= descriptors.size(); i += size_)
    patch_one(descriptors.subspan(i, size_));
}

void DescriptorChecksums::patch_one(std::span<std::byte> descriptor) const {
  const std::vector<std::byte> before(descriptor.begin(), descriptor.end());
  std::uint16_t difference = of_crc16_;
  if (is_crc32c_) {
    patch_of_bitmap(descriptor, kBlockBitmapLow, kBlockBitmapHigh, of_block_bitmaps_);
    patch_of_bitmap(descriptor, kInodeBitmapLow, kInodeBitmapHigh, of_inode_bitmaps_);
    const std::uint32_t so_far = seed_.after(SeedDifference::kGroupNumber);
    difference = static_cast<std::uint16_t>(crc_difference(before, descriptor, so_far));
  }
  const auto stored = load_le<std::uint16_t>(before, kChecksum);
  store_le(descriptor, kChecksum, static_cast<std::uint16_t>(stored ^ difference));
}

void DescriptorChecksums::patch_of_bitmap(std::span<std::byte> descriptor, std::size_t low, std::size_t high,
                                          std::uint32_t difference) const {
  const auto patch = [&](std::size_t place, std::uint32_t part) {
    const auto stored = load_le<std::uint16_t>(std::span<const std::byte>(descriptor), place);
    store_le(descriptor, place, static_cast<std::uint16_t>(stored ^ part));
  };
  patch(low, difference & 0xffff);
  if (size_ >= EXT2_MIN_DESC_SIZE_64BIT) patch(high, difference >> 16);
}

}  // namespace e2qcow::ext2
