// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/superblock_texts.h"

#include <array>
#include <cstddef>

#include "base/bytes.h"
#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {
namespace {

struct Field {
  std::size_t offset;
  std::size_t size;
  TextKind kind;
};

constexpr Field text_field(std::size_t offset, std::size_t size, TextKind kind) {
  return {offset, size, kind};
}

constexpr std::array kTextFields{
    text_field(offsetof(ext2_super_block, s_volume_name), 16, TextKind::label),
    text_field(offsetof(ext2_super_block, s_last_mounted), 64, TextKind::last_mount),
    text_field(offsetof(ext2_super_block, s_mount_opts), 64, TextKind::mount_options),
    text_field(offsetof(ext2_super_block, s_first_error_func), 32, TextKind::error_function),
    text_field(offsetof(ext2_super_block, s_last_error_func), 32, TextKind::error_function),
};
constexpr std::array kBinaryFields{
    text_field(offsetof(ext2_super_block, s_hash_seed), 16, TextKind::hash_seed),
    text_field(offsetof(ext2_super_block, s_encrypt_pw_salt), 16, TextKind::encryption),
    text_field(offsetof(ext2_super_block, s_reserved), sizeof(ext2_super_block::s_reserved), TextKind::slack),
};

constexpr std::size_t kMagicOffset = offsetof(ext2_super_block, s_magic);

}  // namespace

bool looks_like_superblock(std::span<const std::byte> bytes) {
  return bytes.size() >= kSuperblockSize && load_le<std::uint16_t>(bytes, kMagicOffset) == EXT2_SUPER_MAGIC &&
         load_le<std::uint32_t>(bytes, offsetof(ext2_super_block, s_log_block_size)) <= 6;
}

void visit_superblock(const TextPlace& place, const TextVisitor& visit) {
  for (const Field& field : kTextFields) visit_field(place.part(field.offset, field.size), field.kind, visit);
  for (const Field& field : kBinaryFields)
    visit_unused(place.part(field.offset, field.size), field.kind, visit);
  visit_unused(place.part(kSuperblockSize, place.bytes.size() - kSuperblockSize), TextKind::slack, visit);
}

void visit_mmp(const TextPlace& block, const TextVisitor& visit) {
  constexpr std::size_t kEnd = sizeof(mmp_struct);
  visit_field(block.part(offsetof(mmp_struct, mmp_nodename), sizeof(mmp_struct::mmp_nodename)),
              TextKind::mmp_name, visit);
  visit_field(block.part(offsetof(mmp_struct, mmp_bdevname), sizeof(mmp_struct::mmp_bdevname)),
              TextKind::mmp_name, visit);
  if (block.bytes.size() > kEnd)
    visit_unused(block.part(kEnd, block.bytes.size() - kEnd), TextKind::slack, visit);
}

}  // namespace e2qcow::ext2
