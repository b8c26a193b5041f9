// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/directory.h"

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kFixedBytes = 8;

// A length of 64 KiB does not fit into 16 bits. Source: libext2fs, ext2fs_get_rec_len()
std::size_t record_length(std::span<const std::byte> entry) {
  const auto length = load_le<std::uint16_t>(entry, 4);
  const bool whole_block = length == 0 || length == 65535;
  return whole_block ? 65536 : (length & 65532U) | (length & 3U) << 16;
}

}  // namespace

void for_each_entry(std::span<const std::byte> block,
                    const std::function<void(const DirectoryEntry&)>& visit) {
  while (block.size() >= kFixedBytes) {
    const std::size_t length = record_length(block);
    const auto name_length = load_le<std::uint8_t>(block, 6);
    if (length < kFixedBytes || length > block.size() || name_length > length - kFixedBytes) return;
    const DirectoryEntry entry{load_le<std::uint32_t>(block, 0),
                               load_le<std::uint8_t>(block, 7),
                               {reinterpret_cast<const char*>(block.data()) + kFixedBytes, name_length}};
    if (entry.inode != 0 && name_length != 0) visit(entry);
    block = block.subspan(length);
  }
}

}  // namespace e2qcow::ext2
