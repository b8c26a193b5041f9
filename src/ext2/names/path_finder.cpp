// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/names/path_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/stop.h"
#include "ext2/structures/directory.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kMaxDepth = 1024;     // of directories: damaged ones may contain themselves
constexpr std::size_t kInlineParent = 4;    // an inline directory begins with the inode of its parent
constexpr std::size_t kMaxReadBlocks = 64;  // of a directory at a time

}  // namespace

void PathFinder::visit(BlockClass block_class, BlockRun run, std::uint64_t inode) {
  if (block_class == BlockClass::directories && run.count > 0) blocks_.push_back({inode, run});
}

void PathFinder::visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) {
  const auto entries = map.subspan(kInlineParent);
  inline_.push_back({inode, {entries.begin(), entries.end()}});
}

void PathFinder::read_names(std::unordered_set<std::uint64_t> wanted) {
  wanted_ = std::move(wanted);
  const std::uint32_t block_size = filesystem_.geometry.block_size();
  std::ranges::sort(blocks_, {}, [](const Blocks& blocks) {
    return std::tuple(blocks.run.first, blocks.directory, blocks.run.count);
  });
  std::ranges::sort(inline_, {}, &InlineEntries::directory);
  std::vector<std::byte> bytes;
  for (const auto& [directory, run] : blocks_) {
    for (std::uint64_t done = 0; done < run.count; done += kMaxReadBlocks) {
      throw_if_stopped();
      const BlockRun part{run.first + done, std::min<std::uint64_t>(kMaxReadBlocks, run.count - done)};
      bytes.resize(part.count * block_size);
      filesystem_.file.read(filesystem_.geometry.bytes(part).offset, bytes);
      for (std::uint64_t i = 0; i < part.count; ++i)
        add_names(directory, std::span(bytes).subspan(i * block_size, block_size));
    }
  }
  for (const auto& [directory, entries] : inline_) add_names(directory, entries);
}

void PathFinder::add_names(std::uint64_t directory, std::span<const std::byte> block) {
  const bool has_types = filesystem_.superblock.has_incompat(EXT2_FEATURE_INCOMPAT_FILETYPE);
  for_each_entry(block, [&](const DirectoryEntry& entry) {
    if (entry.name == "." || entry.name == "..") return;
    const bool may_be_directory = !has_types || entry.type == EXT2_FT_DIR;
    if (may_be_directory || wanted_.contains(entry.inode))
      names_.try_emplace(entry.inode, Name{directory, std::string(entry.name)});
  });
}

std::string PathFinder::path_of(std::uint64_t inode) const {
  if (inode == EXT2_ROOT_INO) return "/";
  std::string path;
  for (std::size_t depth = 0; depth < kMaxDepth; ++depth) {
    const auto found = names_.find(inode);
    if (found == names_.end()) return path.empty() ? path : fmt::format("<{}>{}", inode, path);
    path = fmt::format("/{}{}", found->second.name, path);
    inode = found->second.directory;
    if (inode == EXT2_ROOT_INO) return path;
  }
  return fmt::format("<{}>{}", inode, path);
}

bool PathFinder::has_name(std::uint64_t inode) const {
  return inode == EXT2_ROOT_INO || names_.contains(inode);
}

std::vector<std::uint64_t> PathFinder::named() const {
  std::vector<std::uint64_t> inodes;
  for (const std::uint64_t inode : wanted_)
    if (names_.contains(inode)) inodes.push_back(inode);
  std::ranges::sort(inodes);
  return inodes;
}

}  // namespace e2qcow::ext2
