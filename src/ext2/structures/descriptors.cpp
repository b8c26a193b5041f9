// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/descriptors.h"

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kChecksumOffset = 0x1e;
constexpr std::size_t kUnusedLow = 0x1c;
constexpr std::size_t kUnusedHigh = 0x32;
constexpr std::size_t kFlags = 0x12;

}  // namespace

GroupDescriptors::GroupDescriptors(const ReadableFile& file, const Superblock& superblock,
                                   const Geometry& geometry)
    : size_(geometry.descriptor_size()),
      clusters_per_group_(superblock.raw.s_clusters_per_group),
      inodes_per_group_(geometry.inodes_per_group()) {
  std::memcpy(uuid_, superblock.raw.s_uuid, sizeof uuid_);
  if (superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM))
    checksum_ = Checksum::crc32c;
  else if (superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_GDT_CSUM))
    checksum_ = Checksum::crc16;
  seed_ = checksum_seed(superblock);

  const std::vector<std::uint64_t> blocks = geometry.descriptor_blocks();
  const std::uint32_t block_size = geometry.block_size();
  bytes_.resize(blocks.size() * block_size);
  for (std::size_t i = 0; i < blocks.size();) {
    std::size_t count = 1;
    while (i + count < blocks.size() && blocks[i + count] == blocks[i] + count) ++count;
    const BlockRun run = geometry.clip({blocks[i], count});
    file.read(run.first * block_size, std::span(bytes_).subspan(i * block_size, run.count * block_size));
    i += count;
  }
}

std::span<const std::byte> GroupDescriptors::descriptor(std::uint64_t group) const {
  return std::span(bytes_).subspan(group * size_, size_);
}

std::uint64_t GroupDescriptors::block_number(std::uint64_t group, std::size_t low, std::size_t high) const {
  std::uint64_t number = load_le<std::uint32_t>(descriptor(group), low);
  if (size_ >= EXT2_MIN_DESC_SIZE_64BIT)
    number |= static_cast<std::uint64_t>(load_le<std::uint32_t>(descriptor(group), high)) << 32;
  return number;
}

std::uint32_t GroupDescriptors::unused_inodes(std::uint64_t group) const {
  std::uint32_t count = load_le<std::uint16_t>(descriptor(group), kUnusedLow);
  if (size_ >= EXT2_MIN_DESC_SIZE_64BIT)
    count |= static_cast<std::uint32_t>(load_le<std::uint16_t>(descriptor(group), kUnusedHigh)) << 16;
  return count;
}

bool GroupDescriptors::has_flag(std::uint64_t group, std::uint16_t flag) const {
  return (load_le<std::uint16_t>(descriptor(group), kFlags) & flag) != 0;
}

std::uint32_t GroupDescriptors::checksum_at(std::uint64_t group, std::size_t low, std::size_t high) const {
  std::uint32_t checksum = load_le<std::uint16_t>(descriptor(group), low);
  if (size_ >= EXT2_MIN_DESC_SIZE_64BIT)
    checksum |= static_cast<std::uint32_t>(load_le<std::uint16_t>(descriptor(group), high)) << 16;
  return checksum;
}

// Source: libext2fs, lib/ext2fs/csum.c, ext2fs_group_desc_csum()
bool GroupDescriptors::is_proven(std::uint64_t group) const {
  if (checksum_ == Checksum::none) return false;
  const auto bytes = descriptor(group);
  const auto number = static_cast<std::uint32_t>(group);
  const auto rest = bytes.subspan(kChecksumOffset + 2);
  std::uint16_t checksum = 0;
  if (checksum_ == Checksum::crc32c) {
    constexpr std::byte kNoChecksum[2]{};
    std::uint32_t crc = crc32c_of(seed_, number);
    crc = crc32c(crc, bytes.first(kChecksumOffset));
    crc = crc32c(crc, kNoChecksum);
    checksum = static_cast<std::uint16_t>(crc32c(crc, rest));
  } else {
    checksum = crc16(0xffff, std::as_bytes(std::span(uuid_)));
    const std::uint32_t stored = little_endian(number);
    checksum = crc16(checksum, std::as_bytes(std::span(&stored, 1)));
    checksum = crc16(checksum, bytes.first(kChecksumOffset));
    checksum = crc16(checksum, rest);
  }
  return checksum == load_le<std::uint16_t>(bytes, kChecksumOffset);
}

bool GroupDescriptors::is_plausible(std::uint64_t group, std::span<const std::byte> bits,
                                    std::uint32_t stored) const {
  if (checksum_ != Checksum::crc32c) return checksum_ == Checksum::none || is_proven(group);
  const std::uint32_t mask = size_ >= EXT2_MIN_DESC_SIZE_64BIT ? ~0U : 0xffffU;
  return (crc32c(seed_, bits) & mask) == (stored & mask);
}

// Source: libext2fs, lib/ext2fs/csum.c, ext2fs_block_bitmap_csum_verify()
bool GroupDescriptors::is_bitmap_plausible(std::uint64_t group, std::span<const std::byte> bitmap) const {
  const auto bits = bitmap.first(std::min<std::size_t>(clusters_per_group_ / 8, bitmap.size()));
  return is_plausible(group, bits, block_bitmap_checksum(group));
}

// Source: the same, ext2fs_inode_bitmap_csum_verify()
bool GroupDescriptors::is_inode_bitmap_plausible(std::uint64_t group,
                                                 std::span<const std::byte> bitmap) const {
  const auto bits = bitmap.first(std::min<std::size_t>(inodes_per_group_ / 8, bitmap.size()));
  return is_plausible(group, bits, checksum_at(group, 0x1a, 0x3a));
}

}  // namespace e2qcow::ext2
