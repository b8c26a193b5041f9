// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/directory.h"

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

// A length of 64 KiB does not fit into 16 bits. Source: libext2fs, ext2fs_get_rec_len()
std::size_t entry_length(std::uint16_t stored, std::size_t block_size) {
  if (block_size < 65536) return stored;
  const bool whole_block = stored == 0 || stored == 65535;
  return whole_block ? block_size : (stored & 65532U) | (stored & 3U) << 16;
}

}  // namespace

EntryHead::EntryHead(std::span<const std::byte> entry, std::size_t block_size)
    : inode(load_le<std::uint32_t>(entry, 0)),
      length(entry_length(load_le<std::uint16_t>(entry, 4), block_size)),
      name_length(load_le<std::uint8_t>(entry, 6)),
      type(load_le<std::uint8_t>(entry, 7)) {}

void for_each_entry(std::span<const std::byte> block,
                    const std::function<void(const DirectoryEntry&)>& visit) {
  const std::size_t block_size = block.size();
  while (block.size() >= EntryHead::kBytes) {
    const EntryHead head(block, block_size);
    if (!head.has_valid_length(block.size()) || head.name_length > head.length - EntryHead::kBytes) return;
    const auto name = block.subspan(EntryHead::kBytes, head.name_length);
    if (head.inode != 0 && head.name_length != 0)
      visit({head.inode, head.type, {reinterpret_cast<const char*>(name.data()), name.size()}});
    block = block.subspan(head.length);
  }
}

}  // namespace e2qcow::ext2
