// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/fast_commit_record.h"

#include <ext2fs/ext2_fs.h>

#include "base/bytes.h"

namespace e2qcow::ext2 {

bool FastCommitRecord::has_inode() const {
  return type == Type::inode && length >= kInodeNumber + EXT2_GOOD_OLD_INODE_SIZE;
}

std::optional<FastCommitRecord> fast_commit_record_at(std::span<const std::byte> block,
                                                      std::size_t position) {
  using Type = FastCommitRecord::Type;
  if (block.size() < FastCommitRecord::kHead || position > block.size() - FastCommitRecord::kHead) return {};
  const FastCommitRecord record{static_cast<Type>(load_le<std::uint16_t>(block, position)),
                                position + FastCommitRecord::kHead,
                                load_le<std::uint16_t>(block, position + 2)};
  const bool is_known = record.type >= Type::add_range && record.type <= Type::head;
  if (!is_known || record.length > block.size() - record.offset) return {};
  return record;
}

}  // namespace e2qcow::ext2
