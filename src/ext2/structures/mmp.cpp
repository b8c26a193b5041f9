// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/mmp.h"

#include <ext2fs/ext2_fs.h>

#include "base/bytes.h"
#include "ext2/structures/text_field.h"

namespace e2qcow::ext2 {

std::optional<MmpUser> mmp_user(const Filesystem& filesystem) {
  if (!filesystem.superblock.has_incompat(EXT4_FEATURE_INCOMPAT_MMP)) return std::nullopt;
  const BlockRun block{filesystem.superblock.raw.s_mmp_block, 1};
  if (block.first == 0 || filesystem.geometry.clip(block).count == 0) return std::nullopt;
  mmp_struct mmp{};
  filesystem.file.read(filesystem.geometry.bytes(block).offset, std::as_writable_bytes(std::span(&mmp, 1)));
  if (little_endian(mmp.mmp_magic) != EXT4_MMP_MAGIC) return std::nullopt;
  const std::uint32_t sequence = little_endian(mmp.mmp_seq);
  if (sequence == EXT4_MMP_SEQ_CLEAN) return std::nullopt;
  return MmpUser{sequence == EXT4_MMP_SEQ_FSCK, field_text(mmp.mmp_nodename), field_text(mmp.mmp_bdevname)};
}

}  // namespace e2qcow::ext2
