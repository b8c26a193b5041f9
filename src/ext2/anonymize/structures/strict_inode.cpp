// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/strict_inode.h"

#include <array>
#include <limits>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

// Offsets. Source: <ext2fs/ext2_fs.h>, struct ext2_inode_large
constexpr std::size_t kDeletionTime = 20;
constexpr std::size_t kGoodOldSize = 128;
constexpr std::size_t kProject = 156;
struct Owner {
  std::size_t low;  // 16 bits each
  std::size_t high;
};
constexpr std::array kOwners{Owner{2, 120}, Owner{24, 122}};
// 32 bits of seconds, signed; the extra field has two more bits, and nanoseconds.
struct Time {
  std::size_t seconds;
  std::size_t extra;
};
constexpr Time kAccess{8, 140};
constexpr Time kChange{12, 132};
constexpr Time kModification{16, 136};
constexpr Time kCreation{144, 148};

class StrictInode {
 public:
  StrictInode(const StrictRules& strict, std::span<std::byte> inode)
      : strict_(strict), inode_(inode), end_(end_of_fields()) {}

  void replace_owners() {
    for (const Owner& owner : kOwners) {
      const std::uint32_t id = strict_.owner(number<std::uint16_t>(owner.low) |
                                             std::uint32_t{number<std::uint16_t>(owner.high)} << 16);
      store_le(inode_, owner.low, static_cast<std::uint16_t>(id));
      store_le(inode_, owner.high, static_cast<std::uint16_t>(id >> 16));
    }
    if (has(kProject)) store_le(inode_, kProject, strict_.owner(number<std::uint32_t>(kProject)));
  }

  void round(const Time& time) {
    constexpr std::uint32_t kEpoch = 3;
    if (!has(time.seconds)) return;
    const bool has_extra = has(time.extra);
    const std::int64_t epoch = has_extra ? number<std::uint32_t>(time.extra) & kEpoch : 0;
    const std::int64_t rounded =
        rounded_time(static_cast<std::int32_t>(number<std::uint32_t>(time.seconds)) + (epoch << 32));
    const auto low = static_cast<std::uint32_t>(rounded);
    store_le(inode_, time.seconds, low);
    if (!has_extra) return;
    const std::int64_t high = (rounded - static_cast<std::int32_t>(low)) >> 32;
    store_le(inode_, time.extra, static_cast<std::uint32_t>(high) & kEpoch);
  }

  void round_deletion_time(std::uint32_t inodes) {
    const auto rounded = static_cast<std::uint32_t>(strict_.time(number<std::uint32_t>(kDeletionTime)));
    if (rounded > inodes) store_le(inode_, kDeletionTime, rounded);
  }

 private:
  template <typename T>
  T number(std::size_t offset) const {
    return load_le<T>(std::span<const std::byte>(inode_), offset);
  }
  bool has(std::size_t field) const { return field + sizeof(std::uint32_t) <= end_; }

  // Attributes follow.
  std::size_t end_of_fields() const {
    if (inode_.size() < kGoodOldSize + sizeof(std::uint32_t)) return kGoodOldSize;
    const std::size_t extra = number<std::uint16_t>(kGoodOldSize);
    return extra <= inode_.size() - kGoodOldSize ? kGoodOldSize + extra : kGoodOldSize;
  }

  // The first day of all is not whole, and is rounded up.
  std::int64_t rounded_time(std::int64_t seconds) const {
    const std::int64_t rounded = strict_.time(seconds);
    return rounded < std::numeric_limits<std::int32_t>::min() ? rounded + StrictRules::kDay : rounded;
  }

  const StrictRules& strict_;
  std::span<std::byte> inode_;
  std::size_t end_;
};

}  // namespace

void replace_owners_and_times(const StrictRules& strict, std::uint32_t inodes, bool is_value,
                              std::span<std::byte> inode) {
  if (!strict.is_strict()) return;
  StrictInode fields(strict, inode);
  fields.replace_owners();
  fields.round(kModification);
  fields.round(kCreation);
  fields.round_deletion_time(inodes);
  if (is_value) return;
  fields.round(kAccess);
  fields.round(kChange);
}

}  // namespace e2qcow::ext2
