// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/description.h"

#include <uuid/uuid.h>

#include <array>
#include <bit>

#include "ext2/structures/text_field.h"

extern "C" {
#include <e2p/e2p.h>
}

namespace e2qcow::ext2 {
namespace {

std::string feature_names(const ext2_super_block& raw) {
  std::string names;
  const std::uint32_t masks[] = {raw.s_feature_compat, raw.s_feature_incompat, raw.s_feature_ro_compat};
  const int types[] = {E2P_FEATURE_COMPAT, E2P_FEATURE_INCOMPAT, E2P_FEATURE_RO_INCOMPAT};
  for (int i = 0; i < 3; ++i)
    for (std::uint32_t rest = masks[i]; rest != 0; rest &= rest - 1) {
      char name[64];
      e2p_feature_to_string(types[i], 1U << std::countr_zero(rest), name, sizeof name);
      if (!names.empty()) names += ' ';
      names += name;
    }
  return names;
}

std::string uuid_text(const uuid_t uuid) {
  std::array<char, UUID_STR_LEN> text{};
  uuid_unparse_lower(uuid, text.data());
  return text.data();
}

std::string state_text(std::uint16_t state) {
  std::string text = (state & EXT2_VALID_FS) != 0 ? "clean" : "not clean";
  if ((state & EXT2_ERROR_FS) != 0) text += " with errors";
  return text;
}

}  // namespace

std::string journal_uuid(const Superblock& superblock) {
  return uuid_text(superblock.raw.s_journal_uuid);
}

Description describe(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  const bool is_64bit = superblock.has_incompat(EXT4_FEATURE_INCOMPAT_64BIT);
  Description description;
  description.label = field_text(raw.s_volume_name);
  description.uuid = uuid_text(raw.s_uuid);
  description.last_mounted = field_text(raw.s_last_mounted);
  description.features = feature_names(raw);
  description.state = state_text(raw.s_state);
  description.block_size = superblock.block_size();
  description.blocks = superblock.blocks();
  description.free_blocks =
      raw.s_free_blocks_count | (is_64bit ? static_cast<std::uint64_t>(raw.s_free_blocks_hi) << 32 : 0);
  description.inodes = raw.s_inodes_count;
  description.free_inodes = raw.s_free_inodes_count;
  description.error_count = raw.s_error_count;
  description.needs_recovery = superblock.needs_recovery();
  if (superblock.has_external_journal()) description.external_journal = journal_uuid(superblock);
  return description;
}

}  // namespace e2qcow::ext2
