// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/fixed_blocks.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/anonymize/structures/strict_superblock.h"
#include "ext2/structures/nowhere.h"
#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {
namespace {

using Raw = ext2_super_block;

constexpr std::string_view kLabel = "anonymized";

void replace_label(std::span<std::byte> field, Tally& tally) {
  if (is_zero(field)) return;
  clear(field);
  std::memcpy(field.data(), kLabel.data(), kLabel.size());
  ++tally.replaced;
}

// The name of a function of the kernel, and nothing behind it.
bool has_name_of_function(std::span<const std::byte> field) {
  const auto* text = reinterpret_cast<const char*>(field.data());
  const std::string_view name(text, ::strnlen(text, field.size()));
  return is_name_of_function(name) && is_zero(field.subspan(name.size()));
}

struct Field {
  std::size_t offset;
  std::size_t length;
  std::span<std::byte> of(std::span<std::byte> copy) const { return copy.subspan(offset, length); }
};
#define E2QCOW_FIELD(name)                 \
  Field {                                  \
    offsetof(Raw, name), sizeof(Raw::name) \
  }
constexpr std::array kCleared{E2QCOW_FIELD(s_last_mounted), E2QCOW_FIELD(s_mount_opts),
                              E2QCOW_FIELD(s_reserved)};
constexpr std::array kFunctions{E2QCOW_FIELD(s_first_error_func), E2QCOW_FIELD(s_last_error_func)};
constexpr Field kVolume = E2QCOW_FIELD(s_volume_name);
constexpr Field kSalt = E2QCOW_FIELD(s_encrypt_pw_salt);
constexpr Field kSeed = E2QCOW_FIELD(s_hash_seed);
constexpr Field kChecksumField = E2QCOW_FIELD(s_checksum);
#undef E2QCOW_FIELD

}  // namespace

void anonymize_superblock(const NewIdentity& identity, std::span<std::byte> copy, Tally& tally) {
  const std::vector<std::byte> before(copy.begin(), copy.end());
  if (load_le<std::uint16_t>(std::span<const std::byte>(copy), offsetof(Raw, s_magic)) != EXT2_SUPER_MAGIC) {
    if (!is_zero(copy)) ++tally.not_parsed;
    return clear(copy);
  }
  for (const Field& field : kCleared) {
    if (!is_zero(field.of(copy))) ++tally.replaced;
    clear(field.of(copy));
  }
  for (const Field& field : kFunctions)
    if (!has_name_of_function(field.of(copy))) clear(field.of(copy));
  replace_label(kVolume.of(copy), tally);
  if (!is_zero(kSalt.of(copy))) identity.secret.derived("salt").replace(kSalt.of(copy));
  for (std::size_t i = 0; i < identity.hash_seed.size(); ++i)
    store_le(kSeed.of(copy), i * sizeof(std::uint32_t), identity.hash_seed[i]);
  replace_identity_of_superblock(identity.strict, copy);
  const auto features =
      load_le<std::uint32_t>(std::span<const std::byte>(copy), offsetof(Raw, s_feature_ro_compat));
  if ((features & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM) != 0)
    patch_checksum(before, copy, kChecksumField.offset);
  else
    clear(kChecksumField.of(copy));
}

namespace {

// How many of a descriptor's fields cannot be: counts are larger than a group, or unused ones are not zero.
// Source: <ext2fs/ext2_fs.h>, struct ext4_group_desc; bg_free_blocks_count to bg_used_dirs_count, and
// bg_itable_unused
std::size_t impossible_fields(const Geometry& geometry, std::span<const std::byte> descriptor) {
  const std::uint64_t blocks = geometry.groups() == 0 ? 0 : geometry.group(0).count;
  const auto is_above = [&](std::size_t place, std::uint64_t most) {
    return load_le<std::uint16_t>(descriptor, place) > most;
  };
  const std::uint64_t inodes = geometry.inodes_per_group();
  constexpr std::uint64_t kNoSnapshots = 0;  // bg_exclude_bitmap was never used
  return std::size_t{is_above(0x14, kNoSnapshots)} + std::size_t{is_above(0x16, kNoSnapshots)} +
         std::size_t{is_above(0x0c, blocks)} + std::size_t{is_above(0x0e, inodes)} +
         std::size_t{is_above(0x10, inodes)} + std::size_t{is_above(0x1c, inodes)};
}

}  // namespace

void anonymize_descriptors(const Geometry& geometry, std::size_t used, std::span<std::byte> block,
                           Tally& tally) {
  const std::size_t size = geometry.descriptor_size();
  for (std::size_t i = 0; i + size <= used; i += size) {
    const auto descriptor = block.subspan(i, size);
    const auto block_at = [&](std::size_t low, std::size_t high) {
      const std::span<const std::byte> bytes = descriptor;
      const std::uint64_t top = size >= 64 ? load_le<std::uint32_t>(bytes, high) : 0;
      return load_le<std::uint32_t>(bytes, low) | top << 32;
    };
    std::size_t faults = impossible_fields(geometry, descriptor);
    for (const std::size_t place : {0U, 4U, 8U}) {
      if (block_at(place, place + 0x20) < geometry.claimed_blocks()) continue;
      ++faults;
      store_le(descriptor, place, kNowhere);
      if (size >= 64) store_le(descriptor, place + 0x20, kNowhere);
    }
    if (faults < 2) continue;
    clear(descriptor.subspan(12, 0x20 - 12));
    if (size >= 64) clear(descriptor.subspan(0x2c));
    ++tally.not_parsed;
  }
  clear(block.subspan(std::min(used, block.size())));
}

namespace {

bool has_bit(std::span<const std::byte> bitmap, std::uint64_t bit) {
  return bit / 8 < bitmap.size() && (bitmap[bit / 8] & std::byte(1U << bit % 8)) != std::byte{0};
}

bool is_all_ones(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0xff}; });
}

// What every bitmap of blocks has: the bits of the group's own structures, as far as they are in it.
bool looks_like_block_bitmap(const Filesystem& filesystem, std::uint64_t group,
                             std::span<const std::byte> bitmap) {
  constexpr std::uint64_t kLeast = 4;
  constexpr std::uint64_t kTableBlocks = 16;
  const Geometry& geometry = filesystem.geometry;
  const BlockRun blocks = geometry.group(group);
  const std::uint64_t table = filesystem.descriptors.inode_table(group);
  std::vector<std::uint64_t> own{filesystem.descriptors.block_bitmap(group),
                                 filesystem.descriptors.inode_bitmap(group)};
  for (std::uint64_t i = 0; i < std::min(kTableBlocks, geometry.inode_table_blocks()); ++i)
    own.push_back(table + i);
  std::uint64_t found = 0;
  for (const std::uint64_t block : own) {
    if (block < blocks.first || block >= blocks.end()) continue;
    if (!has_bit(bitmap, (block - blocks.first) / geometry.cluster_blocks())) return false;
    ++found;
  }
  return found >= kLeast;
}

}  // namespace

void anonymize_bitmap(const Filesystem& filesystem, const Bitmap& bitmap, std::span<std::byte> bytes,
                      Tally& tally) {
  const std::uint64_t bits = bitmap.is_of_inodes ? filesystem.geometry.inodes_per_group()
                                                 : filesystem.superblock.raw.s_clusters_per_group;
  const auto padding = bytes.subspan(std::min<std::uint64_t>(divide_up(bits, 8), bytes.size()));
  const GroupDescriptors& descriptors = filesystem.descriptors;
  const bool has_checksum = descriptors.has_checksums();
  const auto looks_right = [&] {
    if (bitmap.is_of_inodes)
      return (has_checksum && descriptors.is_inode_bitmap_plausible(bitmap.group, bytes)) ||
             (!padding.empty() && is_all_ones(padding));
    return (has_checksum && descriptors.is_bitmap_plausible(bitmap.group, bytes)) ||
           looks_like_block_bitmap(filesystem, bitmap.group, bytes);
  };
  if (!bitmap.is_proven && !looks_right()) {
    ++tally.not_parsed;
    return clear(bytes);
  }
  if (!is_all_ones(padding)) clear(padding);
}

// Source: <ext2fs/ext2_fs.h>, struct mmp_struct
void anonymize_mmp(const StrictRules& strict, bool has_checksums, std::span<std::byte> block, Tally& tally) {
  const std::vector<std::byte> before(block.begin(), block.end());
  if (load_le<std::uint32_t>(std::span<const std::byte>(block), 0) != EXT4_MMP_MAGIC) {
    ++tally.not_parsed;
    return clear(block);
  }
  constexpr std::size_t kInterval = offsetof(mmp_struct, mmp_check_interval);
  constexpr std::size_t kSum = offsetof(mmp_struct, mmp_checksum);
  clear(block.subspan(offsetof(mmp_struct, mmp_nodename), kInterval - offsetof(mmp_struct, mmp_nodename)));
  clear(block.subspan(kInterval + 2));
  tally.replaced += 2;
  constexpr std::size_t kTime = offsetof(mmp_struct, mmp_time);
  const auto time = static_cast<std::int64_t>(load_le<std::uint64_t>(before, kTime));
  store_le(block, kTime, static_cast<std::uint64_t>(strict.time(time)));
  if (!has_checksums) return;
  const std::uint32_t difference =
      crc_difference(std::span(before).first(kSum), std::span<const std::byte>(block).first(kSum),
                     strict.seed_difference().after(0));
  store_le(block, kSum, load_le<std::uint32_t>(std::span<const std::byte>(before), kSum) ^ difference);
}

}  // namespace e2qcow::ext2
