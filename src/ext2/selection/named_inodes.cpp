// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/named_inodes.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/structures/directory.h"
#include "ext2/structures/inode_table_reader.h"
#include "ext2/structures/xattr.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kBlocksAtATime = 64;
constexpr std::uint64_t kMaxOrphans = 1 << 20;
constexpr std::size_t kInlineParent = 4;  // an inline directory begins with the inode of its parent

}  // namespace

NamedInodes::NamedInodes(const Filesystem& filesystem, std::span<const std::uint32_t> inodes_read)
    : filesystem_(filesystem),
      inodes_read_(inodes_read.begin(), inodes_read.end()),
      is_needed_(std::ranges::any_of(
          inodes_read, [&](std::uint32_t count) { return count < filesystem.geometry.inodes_per_group(); })) {
}

bool NamedInodes::are_in(BlockClass block_class) const {
  return block_class == BlockClass::directories || block_class == BlockClass::orphan_file ||
         block_class == BlockClass::xattrs;
}

void NamedInodes::add(std::uint64_t inode) {
  const auto place = filesystem_.geometry.place_of_inode(inode);
  if (!place || place->index < inodes_read_[place->group]) return;
  const std::scoped_lock lock(mutex_);
  if (known_.insert(place->group).second) new_.push_back(place->group);
}

void NamedInodes::add_from_superblock() {
  const ext2_super_block& raw = filesystem_.superblock.raw;
  for (const std::uint32_t inode : {raw.s_journal_inum, raw.s_usr_quota_inum, raw.s_grp_quota_inum,
                                    raw.s_prj_quota_inum, raw.s_orphan_file_inum})
    add(inode);
  std::uint64_t orphan = raw.s_last_orphan;
  for (std::uint64_t i = 0; i < kMaxOrphans && orphan != 0 && orphan <= raw.s_inodes_count; ++i) {
    throw_if_stopped();
    add(orphan);
    const auto bytes = read_inode(filesystem_, orphan);
    orphan = bytes ? Inode(*bytes).deletion_time() : 0;
  }
}

void NamedInodes::add_from_inode(const Inode& inode) {
  const bool is_inline_directory = inode.has_inline_data() && inode.is_directory();
  if (inode.links() == 0) return;
  if (is_inline_directory) {
    add(load_le<std::uint32_t>(inode.map(), 0));
    add_from_directory(inode.map().subspan(kInlineParent));
  }
  const auto entries = xattrs_in_inode(inode.bytes());
  for_each_xattr(entries, [&](const XattrEntry& entry) {
    add(entry.value_inode);
    const bool is_rest = is_inline_directory && entry.prefix == XattrPrefix::system && entry.name == "data" &&
                         entry.value_offset <= entries.size() &&
                         entry.value_size <= entries.size() - entry.value_offset;
    if (is_rest) add_from_directory(entries.subspan(entry.value_offset, entry.value_size));
  });
}

void NamedInodes::add_from_blocks(BlockClass block_class, BlockRun blocks) {
  const std::uint32_t block_size = filesystem_.geometry.block_size();
  std::vector<std::byte> bytes;
  for (std::uint64_t done = 0; done < blocks.count; done += kBlocksAtATime) {
    throw_if_stopped();
    const BlockRun part{blocks.first + done, std::min(kBlocksAtATime, blocks.count - done)};
    bytes.resize(part.count * block_size);
    filesystem_.file.read(filesystem_.geometry.bytes(part).offset, bytes);
    for (std::uint64_t i = 0; i < part.count; ++i)
      add_from_block(block_class, std::span(bytes).subspan(i * block_size, block_size));
  }
}

void NamedInodes::add_from_block(BlockClass block_class, std::span<const std::byte> block) {
  if (block_class == BlockClass::directories) return add_from_directory(block);
  if (block_class == BlockClass::xattrs) return add_from_xattrs(xattrs_in_block(block));
  for (std::size_t position = 0; position + sizeof(std::uint32_t) <= block.size();
       position += sizeof(std::uint32_t))
    add(load_le<std::uint32_t>(block, position));
}

// After an invalid entry e2fsck may find others. Source: e2fsck/pass2.c, salvage_directory()
void NamedInodes::add_from_directory(std::span<const std::byte> entries) {
  const std::size_t block_size = entries.size();
  while (entries.size() >= EntryHead::kBytes) {
    const EntryHead head(entries, block_size);
    if (head.inode != 0) add(head.inode);
    const std::size_t length = head.has_valid_length(entries.size())
                                   ? head.length
                                   : round_up(EntryHead::kBytes + head.name_length, 4);
    if (length > entries.size()) return;
    entries = entries.subspan(length);
  }
}

// Whatever the features are: e2fsck follows without them. Source: e2fsck/pass1.c, check_large_ea_inode()
void NamedInodes::add_from_xattrs(std::span<const std::byte> entries) {
  for_each_xattr(entries, [&](const XattrEntry& entry) { add(entry.value_inode); });
}

std::vector<std::uint64_t> NamedInodes::take_groups() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(new_, {});
}

}  // namespace e2qcow::ext2
