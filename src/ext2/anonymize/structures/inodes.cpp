// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/inodes.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/anonymize/structures/block_lists.h"
#include "ext2/anonymize/structures/strict_inode.h"
#include "ext2/anonymize/structures/xattrs.h"
#include "ext2/structures/inode.h"
#include "ext2/structures/xattr.h"

namespace e2qcow::ext2 {
namespace {

// Offsets. Source: <ext2fs/ext2_fs.h>, struct ext2_inode_large
constexpr std::size_t kAccessTime = 8;
constexpr std::size_t kMap = 40;
constexpr std::size_t kFragment = 112;
constexpr std::size_t kChecksumLow = 124;
constexpr std::size_t kReserved = 126;
constexpr std::size_t kExtraSize = 128;
constexpr std::size_t kChecksumHigh = 130;
constexpr std::size_t kKnownEnd = 160;    // of the fields behind i_extra_isize
constexpr std::size_t kDeviceNumber = 8;  // bytes of the map
constexpr std::size_t kInlineParent = 4;

bool has_high_checksum(std::span<const std::byte> inode) {
  return inode.size() >= kExtraSize + 4 && load_le<std::uint16_t>(inode, kExtraSize) >= 4;
}

class InodeAnonymizer {
 public:
  InodeAnonymizer(const InodeRules& rules, std::uint32_t number, std::span<std::byte> bytes, Tally& tally)
      : rules_(rules),
        number_(number),
        bytes_(bytes),
        tally_(tally),
        before_(bytes.begin(), bytes.end()),
        old_(before_) {}

  void run() {
    clear_reserved();
    anonymize_map();
    anonymize_rest();
    replace_owners_and_times(rules_.strict, rules_.inodes, is_value(), bytes_);
    if (is_value()) store_le(bytes_, kAccessTime, rules_.checksum_of_zeros(old_.size_low()));
    if (rules_.has_checksums) patch_checksums();
  }

 private:
  bool is_free() const { return old_.links() == 0; }
  bool is_encrypted() const { return (old_.flags() & EXT4_ENCRYPT_FL) != 0; }
  // It holds the value of an attribute, whose checksum is kept as a time.
  bool is_value() const { return rules_.has_value_checksums && (old_.flags() & EXT4_EA_INODE_FL) != 0; }

  void clear_reserved() {
    if (load_le<std::uint32_t>(old_.bytes(), kFragment) != 0) store_le(bytes_, kFragment, std::uint32_t{1});
    clear(bytes_.subspan(kReserved, 2));
  }

  void anonymize_map() {
    const auto map = bytes_.subspan(kMap, Inode::kMapSize);
    const bool is_device = S_ISCHR(old_.mode()) || S_ISBLK(old_.mode());
    const bool is_special = is_device || S_ISFIFO(old_.mode()) || S_ISSOCK(old_.mode());
    if (anonymize_extents(map, rules_.blocks, tally_)) return;
    if (old_.has_inline_data()) return anonymize_inline(map);
    if (old_.is_symlink() && old_.has_no_map()) return anonymize_link(map);
    if (is_free() && old_.mode() == 0) return clear(map);
    if (is_special) return anonymize_special(map, is_device && has_device_number() ? kDeviceNumber : 0);
    anonymize_pointers(map, rules_.blocks, tally_);
  }

  void anonymize_inline(std::span<std::byte> map) {
    if (is_free() || !(old_.is_directory() || old_.is_symlink())) return clear(map);
    if (old_.is_symlink()) return anonymize_link(map);
    rules_.anonymize_entries(number_, map.subspan(kInlineParent), tally_);
  }

  void anonymize_link(std::span<std::byte> map) {
    if (is_free() || old_.size_low() == 0) return clear(map);
    ++tally_.replaced;
    if (is_encrypted()) return anonymize_encrypted_target(rules_.secret, map);
    const std::size_t length = std::min<std::size_t>(old_.size_low(), map.size());
    anonymize_target(map.first(length));
    const bool goes_on = length < map.size() && map[length] != std::byte{0};
    clear(map.subspan(length));
    if (goes_on) map[length] = std::byte{'x'};
  }

  // One of 16 bits, or behind a zero one of 32 bits. Source: the kernel's fs/ext4/inode.c,
  // ext4_do_update_inode()
  bool has_device_number() const {
    const auto old_form = load_le<std::uint32_t>(old_.map(), 0);
    return old_form == 0 || (old_form <= 0xffff && load_le<std::uint32_t>(old_.map(), 4) == 0);
  }

  // Of what is behind the number of a device e2fsck sees whether it is zero.
  static void anonymize_special(std::span<std::byte> map, std::size_t kept) {
    for (std::size_t i = kept; i < map.size(); i += sizeof(std::uint32_t))
      if (load_le<std::uint32_t>(std::span<const std::byte>(map), i) != 0) store_le(map, i, std::uint32_t{1});
  }

  // Behind the first 128 bytes: more fields, and attributes.
  void anonymize_rest() {
    if (bytes_.size() < kExtraSize + 4) return clear(bytes_.subspan(std::min(bytes_.size(), kExtraSize)));
    const std::size_t extra = load_le<std::uint16_t>(old_.bytes(), kExtraSize);
    if (extra < 4 || extra % 4 != 0 || kExtraSize + extra > bytes_.size()) {
      // A wrong size stays wrong; a number that no one got wrong by a bit may be text.
      constexpr std::size_t kPlausible = 256;
      if (extra >= kPlausible) store_le(bytes_, kExtraSize, std::uint16_t{0xffff});
      return clear(bytes_.subspan(kExtraSize + 2));
    }
    const std::size_t attributes = kExtraSize + extra;
    if (attributes > kKnownEnd) clear(bytes_.subspan(kKnownEnd, attributes - kKnownEnd));
    anonymize_attributes(bytes_.subspan(attributes));
  }

  void anonymize_attributes(std::span<std::byte> area) {
    const bool has_some =
        area.size() > 4 && load_le<std::uint32_t>(std::span<const std::byte>(area), 0) == kXattrMagic;
    if (is_free() || !has_some) return clear(area);
    const Secret secret = rules_.secret.derived("attributes of an inode", number_);
    anonymize_xattrs({area.subspan(4), 0, secret, rules_.secret,
                      [this](std::span<std::byte> data, Tally& tally) { anonymize_data(data, tally); },
                      rules_.checksums_of_value, rules_.strict},
                     tally_);
  }

  // What does not fit into the map.
  void anonymize_data(std::span<std::byte> data, Tally& tally) {
    if (old_.is_directory() && old_.has_inline_data()) return rules_.anonymize_entries(number_, data, tally);
    if (old_.is_symlink() && old_.has_inline_data()) {
      if (is_encrypted()) return rules_.secret.replace(data);
      return anonymize_target(data);
    }
    clear(data);
  }

  // Both halves count as zeros. An inode of zeros is valid without one. Source: lib/ext2fs/csum.c
  void patch_checksums() {
    if (is_zero(std::span(before_).first(kExtraSize))) return;
    const bool has_high = has_high_checksum(before_);
    const auto without = [&](std::span<const std::byte> bytes) {
      std::vector<std::byte> copy(bytes.begin(), bytes.end());
      store_le(std::span(copy), kChecksumLow, std::uint16_t{0});
      if (has_high) store_le(std::span(copy), kChecksumHigh, std::uint16_t{0});
      return copy;
    };
    const std::uint32_t difference =
        crc_difference(without(before_), without(bytes_),
                       rules_.strict.seed_difference().after(SeedDifference::kInodeNumbers));
    const auto patch = [&](std::size_t place, std::uint32_t part) {
      store_le(bytes_, place, static_cast<std::uint16_t>(load_le<std::uint16_t>(old_.bytes(), place) ^ part));
    };
    patch(kChecksumLow, difference & 0xffff);
    if (has_high) patch(kChecksumHigh, difference >> 16);
  }

  const InodeRules& rules_;
  std::uint32_t number_;
  std::span<std::byte> bytes_;
  Tally& tally_;
  const std::vector<std::byte> before_;
  const Inode old_;
};

}  // namespace

void anonymize_inode(const InodeRules& rules, std::uint32_t number, std::span<std::byte> inode,
                     Tally& tally) {
  InodeAnonymizer(rules, number, inode, tally).run();
}

// Source: lib/ext2fs/csum.c, ext2fs_inode_csum()
bool has_right_checksum(const InodeRules& rules, std::uint32_t number, std::span<const std::byte> inode) {
  if (!rules.has_checksums) return true;
  std::vector<std::byte> bytes(inode.begin(), inode.end());
  const bool has_high = has_high_checksum(inode);
  std::uint32_t stored = load_le<std::uint16_t>(inode, kChecksumLow);
  store_le(std::span(bytes), kChecksumLow, std::uint16_t{0});
  if (has_high) {
    stored |= std::uint32_t{load_le<std::uint16_t>(inode, kChecksumHigh)} << 16;
    store_le(std::span(bytes), kChecksumHigh, std::uint16_t{0});
  }
  const std::uint32_t crc =
      crc32c(crc32c_of(crc32c_of(rules.seed, number), Inode(inode).generation()), bytes);
  return has_high ? crc == stored : (crc & 0xffff) == stored;
}

namespace {

bool is_text(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes,
                             [](std::byte byte) { return byte >= std::byte{' '} && byte <= std::byte{'~'}; });
}

// Times can look like text, but then they are of about one time.
bool has_distant_times(std::span<const std::byte> inode) {
  constexpr std::uint32_t kTwentyYears = 20 * 365 * 86400;
  const auto [least, most] = std::minmax({load_le<std::uint32_t>(inode, 8), load_le<std::uint32_t>(inode, 12),
                                          load_le<std::uint32_t>(inode, 16)});
  return most - least > kTwentyYears;
}

bool has_long_text(std::span<const std::byte> bytes) {
  constexpr std::size_t kLong = 9;
  for (std::size_t i = 0; i + kLong <= bytes.size(); ++i)
    if (is_text(bytes.subspan(i, kLong))) return true;
  return false;
}

}  // namespace

bool is_plausible_inode(const InodeRules& rules, std::uint32_t number, std::span<const std::byte> bytes) {
  constexpr std::uint32_t kKnownFlags = 0x5fff'ffff;
  constexpr std::uint32_t kMostLinks = 65'000;
  if (rules.has_checksums && has_right_checksum(rules, number, bytes)) return true;
  if (has_long_text(bytes.first(kMap)) && (rules.has_checksums || has_distant_times(bytes))) return false;
  const Inode inode(bytes);
  const int type = inode.mode() >> 12;
  const bool has_type = inode.mode() == 0 || type == 1 || type == 2 || type == 4 || type == 6 || type == 8 ||
                        type == 10 || type == 12;
  const bool has_extra = bytes.size() > kExtraSize + 4;
  const bool has_bad_size =
      has_extra && kExtraSize + load_le<std::uint16_t>(bytes, kExtraSize) > bytes.size();
  const int faults = int{!has_type} + int{(inode.flags() & ~kKnownFlags) != 0} + int{has_bad_size} +
                     int{inode.links() > kMostLinks} + int{inode.xattr_block_low() >= rules.blocks} +
                     int{inode.size_high() > 0xffff};
  // Neither the mode, owner and size nor the group, links, sectors, flags and version are text by chance.
  return faults <= 1 && !is_text(bytes.first(8)) && !is_text(bytes.subspan(24, 16));
}

void anonymize_target(std::span<std::byte> target) {
  for (std::byte& byte : target)
    if (byte != std::byte{0} && byte != std::byte{'/'}) byte = std::byte{'x'};
}

void anonymize_encrypted_target(const Secret& secret, std::span<std::byte> target) {
  constexpr std::size_t kLength = 2;
  const std::size_t length = load_le<std::uint16_t>(std::span<const std::byte>(target), 0);
  const auto text = target.subspan(kLength, std::min(length, target.size() - kLength));
  secret.derived("encrypted targets").replace(text);
  clear(target.subspan(kLength + text.size()));
}

}  // namespace e2qcow::ext2
