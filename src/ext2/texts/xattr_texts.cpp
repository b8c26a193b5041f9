// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/xattr_texts.h"

#include <vector>

#include "base/bytes.h"
#include "base/extents.h"
#include "ext2/structures/xattr.h"

namespace e2qcow::ext2 {
namespace {

// Source: the kernel's fs/crypto/fscrypt_private.h, struct fscrypt_context_v1 and _v2
void visit_encryption_context(const TextPlace& value, const TextVisitor& visit) {
  constexpr std::size_t kNonce = 16;
  const std::size_t identifier = value.bytes.size() == 28 ? 4 : 8;
  if (value.bytes.size() <= identifier + kNonce) return visit_unused(value, TextKind::encryption, visit);
  const std::size_t nonce = value.bytes.size() - kNonce;
  visit_unused(value.part(identifier, nonce - identifier), TextKind::encryption, visit);
  visit_unused(value.part(nonce, kNonce), TextKind::encryption, visit);
}

void visit_inline(const TextPlace& value, InlineContents contents, const TextVisitor& visit) {
  switch (contents) {
    case InlineContents::file:
      return visit_unused(value, TextKind::inline_data, visit);
    case InlineContents::link:
      return visit_unused(value, TextKind::link_target, visit);
    case InlineContents::encrypted_link:
      return visit_unused(value, TextKind::encrypted_target, visit);
    case InlineContents::directory:
      return visit_directory(value, EntryHashes::none, visit);
  }
}

void visit_value(const XattrEntry& entry, const TextPlace& value, InlineContents contents,
                 const TextVisitor& visit) {
  if (entry.prefix == XattrPrefix::acl_access || entry.prefix == XattrPrefix::acl_default) return;
  if (entry.prefix == XattrPrefix::encryption) return visit_encryption_context(value, visit);
  if (entry.prefix == XattrPrefix::system && entry.name == "data")
    return visit_inline(value, contents, visit);
  if (!value.bytes.empty()) visit(value.text(TextKind::xattr_value, 0, value.bytes.size()));
}

}  // namespace

void visit_xattrs(const TextPlace& area, std::size_t values_begin, InlineContents contents,
                  const TextVisitor& visit) {
  const std::uint64_t size = area.bytes.size();
  std::vector<Extent> used;
  for_each_xattr(area.bytes, [&](const XattrEntry& entry) {
    const auto name =
        static_cast<std::size_t>(entry.name.data() - reinterpret_cast<const char*>(area.bytes.data()));
    used.push_back({name - kXattrEntryHead, kXattrEntryHead + entry.name.size()});
    Text text = area.text(TextKind::xattr_name, name, entry.name.size());
    text.is_well_known = is_well_known_xattr(entry.prefix, entry.name);
    if (!entry.name.empty()) visit(text);
    if (entry.value_inode != 0 || entry.value_size == 0 || entry.value_offset < values_begin) return;
    const std::uint64_t begin = entry.value_offset - values_begin;
    if (begin > size || entry.value_size > size - begin) return;
    used.push_back({begin, entry.value_size});
    visit_value(entry, area.part(begin, entry.value_size), contents, visit);
  });
  std::uint64_t position = 0;
  used = sorted_and_joined(std::move(used));
  used.push_back({size, 0});
  for (const Extent& part : used) {
    visit_unused(area.part(position, part.offset - position), TextKind::slack, visit);
    position = part.end();
  }
}

bool looks_like_xattr_block(std::span<const std::byte> block) {
  return !xattrs_in_block(block).empty();
}

void visit_xattr_block(const TextPlace& block, const TextVisitor& visit) {
  if (!looks_like_xattr_block(block.bytes)) return visit_unused(block, TextKind::slack, visit);
  visit_xattrs(block.part(kXattrBlockHeader, block.bytes.size() - kXattrBlockHeader), kXattrBlockHeader,
               InlineContents::file, visit);
}

}  // namespace e2qcow::ext2
