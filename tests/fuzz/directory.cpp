// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks of directories, and the paths that their names make.
#include "ext2/structures/directory.h"

#include "ext2/names/path_finder.h"
#include "ext2/structures/inode.h"
#include "tests/fuzz/promises.h"
#include "tests/support/ext2_image.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

namespace {

constexpr std::uint32_t kBlockSize = 1024;

void read_entries(std::span<const std::byte> block) {
  ext2::for_each_entry(block, [&](const ext2::DirectoryEntry& entry) {
    const auto name = std::as_bytes(std::span(entry.name));
    require(entry.inode != 0 && !name.empty() && name.data() >= block.data() &&
            name.data() + name.size() <= block.data() + block.size());
  });
}

// Each block is the directory of another inode.
void find_paths(const MemoryFile& file) {
  const ext2::Filesystem filesystem(file, ext2::plain_superblock(kBlockSize, file.size() / kBlockSize));
  ext2::PathFinder paths(filesystem);
  std::unordered_set<std::uint64_t> wanted;
  for (std::uint64_t block = 0; block < filesystem.geometry.blocks(); ++block) {
    paths.visit(BlockClass::directories, {block, 1}, EXT2_ROOT_INO + block);
    wanted.insert(EXT2_ROOT_INO + block);
  }
  if (file.size() >= ext2::Inode::kMapSize)
    paths.visit_inline_directory(EXT2_ROOT_INO, std::span(file.data()).first(ext2::Inode::kMapSize));
  paths.read_names(std::move(wanted));
  for (const std::uint64_t inode : paths.named()) require(!paths.path_of(inode).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  read_entries(bytes);
  find_paths(MemoryFile({bytes.begin(), bytes.end()}));
  return 0;
}
