#include "ext2/superblock.h"

#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "ext2/text_field.h"

extern "C" {
#include <e2p/e2p.h>
}

namespace e2qcow::ext2 {
namespace {

static_assert(sizeof(ext2_super_block) == kSuperblockSize);

// What no file system can be walked without; the other fields may be wrong (see Geometry).
bool makes_sense(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  if (raw.s_magic != EXT2_SUPER_MAGIC || raw.s_log_block_size > 6) return false;
  const std::uint64_t bits_per_block = superblock.block_size() * 8ULL;
  const bool bigalloc = superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_BIGALLOC);
  const bool blocks_fit = bigalloc || raw.s_blocks_per_group <= bits_per_block;
  return raw.s_inodes_per_group > 0 && raw.s_inodes_per_group <= bits_per_block &&
         raw.s_blocks_per_group >= 8 && blocks_fit && superblock.blocks() > 0;
}

std::uint64_t first_data_block(std::uint32_t block_size) {
  return block_size == 1024 ? 1 : 0;
}

// mke2fs makes groups of as many blocks as a bitmap block has bits, and sparse_super keeps copies in groups
// 1 and the powers of 3, 5 and 7.
std::optional<Superblock> find_backup(const File& file, std::uint32_t block_size) {
  const std::uint64_t blocks_per_group = block_size * 8ULL;
  for (const std::uint64_t group : {1, 3, 5, 7, 9, 25, 27, 49}) {
    const std::uint64_t block = group * blocks_per_group + first_data_block(block_size);
    const auto found = read_superblock(file, block * block_size);
    if (found && found->block_size() == block_size) return found;
  }
  return std::nullopt;
}

std::string feature_names(const ext2_super_block& raw) {
  std::string names;
  const std::uint32_t masks[] = {raw.s_feature_compat, raw.s_feature_incompat, raw.s_feature_ro_compat};
  const int types[] = {E2P_FEATURE_COMPAT, E2P_FEATURE_INCOMPAT, E2P_FEATURE_RO_INCOMPAT};
  for (int i = 0; i < 3; ++i)
    for (std::uint32_t rest = masks[i]; rest != 0; rest &= rest - 1) {
      char name[64];
      e2p_feature_to_string(types[i], rest & -rest, name, sizeof name);
      if (!names.empty()) names += ' ';
      names += name;
    }
  return names;
}

std::string uuid_text(const std::uint8_t (&uuid)[16]) {
  std::string text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

std::string state_text(std::uint16_t state) {
  std::string text = (state & EXT2_VALID_FS) != 0 ? "clean" : "not clean";
  if ((state & EXT2_ERROR_FS) != 0) text += " with errors";
  return text;
}

}  // namespace

std::uint64_t Superblock::blocks() const {
  std::uint64_t count = raw.s_blocks_count;
  if (has_incompat(EXT4_FEATURE_INCOMPAT_64BIT))
    count |= static_cast<std::uint64_t>(raw.s_blocks_count_hi) << 32;
  return count;
}

std::optional<Superblock> read_superblock(const File& file, std::uint64_t offset) {
  if (file.size() < kSuperblockSize || offset > file.size() - kSuperblockSize) return std::nullopt;
  Superblock superblock;
  superblock.offset = offset;
  file.read(offset, std::as_writable_bytes(std::span(&superblock.raw, 1)));
  if constexpr (std::endian::native == std::endian::big) ext2fs_swap_super(&superblock.raw);
  if (!makes_sense(superblock)) return std::nullopt;
  return superblock;
}

Superblock find_superblock(const File& file, const SuperblockChoice& choice) {
  if (choice.block) {
    for (std::uint32_t size = choice.block_size.value_or(1024); size <= kMaxBlockSize; size *= 2) {
      if (*choice.block > file.size() / size) break;
      const auto found = read_superblock(file, *choice.block * size);
      if (found && found->block_size() == size) return *found;
      if (choice.block_size) break;
    }
    fail(Errc::not_ext2,
         fmt::format("{}: there is no ext2/3/4 superblock in block {}", file.name(), *choice.block));
  }
  if (const auto primary = read_superblock(file, kSuperblockOffset)) return *primary;
  for (std::uint32_t size = choice.block_size.value_or(1024); size <= kMaxBlockSize; size *= 2) {
    if (const auto backup = find_backup(file, size)) return *backup;
    if (choice.block_size) break;
  }
  fail(Errc::not_ext2, file.name() + ": no ext2/3/4 file system found (neither its superblock nor a backup)");
}

Description describe(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  const bool is_64bit = superblock.has_incompat(EXT4_FEATURE_INCOMPAT_64BIT);
  Description description;
  description.label = text_of(raw.s_volume_name);
  description.uuid = uuid_text(raw.s_uuid);
  description.last_mounted = text_of(raw.s_last_mounted);
  description.features = feature_names(raw);
  description.state = state_text(raw.s_state);
  description.block_size = superblock.block_size();
  description.blocks = superblock.blocks();
  description.free_blocks =
      raw.s_free_blocks_count | (is_64bit ? static_cast<std::uint64_t>(raw.s_free_blocks_hi) << 32 : 0);
  description.inodes = raw.s_inodes_count;
  description.free_inodes = raw.s_free_inodes_count;
  description.error_count = raw.s_error_count;
  description.needs_recovery = superblock.has_incompat(EXT3_FEATURE_INCOMPAT_RECOVER);
  return description;
}

}  // namespace e2qcow::ext2
