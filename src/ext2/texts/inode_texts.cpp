// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/inode_texts.h"

#include <algorithm>

#include "base/bytes.h"
#include "ext2/structures/extent_node.h"
#include "ext2/structures/inode.h"
#include "ext2/structures/xattr.h"
#include "ext2/texts/directory_texts.h"
#include "ext2/texts/xattr_texts.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kMap = 40;  // the offset of i_block
constexpr std::size_t kInlineParent = 4;
constexpr std::size_t kLengthField = 2;  // before an encrypted target
constexpr std::size_t kMagic = 4;        // before the attributes in an inode

bool is_encrypted(const Inode& inode) {
  return (inode.flags() & EXT4_ENCRYPT_FL) != 0;
}

InlineContents contents_of(const Inode& inode) {
  if (inode.is_directory()) return InlineContents::directory;
  if (!inode.is_symlink()) return InlineContents::file;
  return is_encrypted(inode) ? InlineContents::encrypted_link : InlineContents::link;
}

void visit_inline_map(const TextPlace& map, const Inode& inode, const TextVisitor& visit) {
  switch (contents_of(inode)) {
    case InlineContents::directory:
      return visit_directory(map.part(kInlineParent, map.bytes.size() - kInlineParent), EntryHashes::none,
                             visit);
    case InlineContents::link:
      return visit_field(map, TextKind::link_target, visit);
    case InlineContents::encrypted_link:
      return visit_unused(map, TextKind::encrypted_target, visit);
    case InlineContents::file:
      return visit_unused(map, TextKind::inline_data, visit);
  }
}

// The entries of a root of an extent tree past those in use.
void visit_after_extents(const TextPlace& map, const TextVisitor& visit) {
  const ExtentHeader header(map.bytes);
  const std::size_t used = (header.entries + std::size_t{1}) * ExtentHeader::kEntrySize;
  if (used <= map.bytes.size()) visit_unused(map.part(used, map.bytes.size() - used), TextKind::slack, visit);
}

void visit_map(const TextPlace& map, const Inode& inode, const TextVisitor& visit) {
  if (ExtentHeader(map.bytes).is_surely_a_root(map.bytes.size())) return visit_after_extents(map, visit);
  if (inode.has_inline_data()) return visit_inline_map(map, inode, visit);
  if (inode.is_symlink() && inode.has_no_map()) {
    if (!is_encrypted(inode)) return visit_field(map, TextKind::link_target, visit);
    return visit_unused(map.part(kLengthField, map.bytes.size() - kLengthField), TextKind::encrypted_target,
                        visit);
  }
  if (inode.links() == 0 && inode.mode() == 0) visit_unused(map, TextKind::slack, visit);
}

void visit_after_fields(const TextPlace& inode, const TextVisitor& visit) {
  constexpr std::size_t kOld = EXT2_GOOD_OLD_INODE_SIZE;
  constexpr std::size_t kSizeAndChecksum = 4;
  if (inode.bytes.size() < kOld + kSizeAndChecksum) return;
  const std::size_t end = kOld + load_le<std::uint16_t>(inode.bytes, kOld);
  if (end > inode.bytes.size() || end % 4 != 0)
    return visit_unused(inode.part(kOld + kSizeAndChecksum, inode.bytes.size() - kOld - kSizeAndChecksum),
                        TextKind::slack, visit);
  const TextPlace rest = inode.part(end, inode.bytes.size() - end);
  if (xattrs_in_inode(inode.bytes).empty()) return visit_unused(rest, TextKind::slack, visit);
  visit_xattrs(rest.part(kMagic, rest.bytes.size() - kMagic), 0, contents_of(Inode(inode.bytes)), visit);
}

bool is_plausible(const Inode& inode) {
  const auto format = inode.mode() & S_IFMT;
  const bool is_known = format == S_IFREG || format == S_IFDIR || format == S_IFLNK || format == S_IFCHR ||
                        format == S_IFBLK || format == S_IFIFO || format == S_IFSOCK || inode.mode() == 0;
  return is_known && (inode.links() < 65'001 || inode.is_directory());
}

}  // namespace

void visit_inode_texts(const TextPlace& place, const TextVisitor& visit) {
  const Inode inode(place.bytes);
  if (is_zero(place.bytes.first(EXT2_GOOD_OLD_INODE_SIZE)))
    return visit_unused(place, TextKind::slack, visit);
  visit_map(place.part(kMap, Inode::kMapSize), inode, visit);
  visit_after_fields(place, visit);
}

void visit_inode_block(const Filesystem& filesystem, const TextPlace& block, std::uint64_t first_inode,
                       const TextVisitor& visit) {
  const std::size_t size = filesystem.geometry.inode_size();
  for (std::size_t i = 0; i < block.bytes.size() / size; ++i) {
    TextPlace inode = block.part(i * size, size);
    inode.owner = first_inode + i;
    visit_inode_texts(inode, visit);
  }
}

bool looks_like_inode_block(std::span<const std::byte> block, std::size_t inode_size) {
  std::size_t used = 0;
  std::size_t plausible = 0;
  for (std::size_t i = 0; i < block.size() / inode_size; ++i) {
    const auto bytes = block.subspan(i * inode_size, inode_size);
    if (is_zero(bytes)) continue;
    ++used;
    if (is_plausible(Inode(bytes))) ++plausible;
  }
  return used > 0 && plausible * 4 >= used * 3;
}

}  // namespace e2qcow::ext2
