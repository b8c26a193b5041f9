// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/text.h"

#include <algorithm>

namespace e2qcow::ext2 {

std::string_view kind_name(TextKind kind) {
  switch (kind) {
    case TextKind::name:
      return "name";
    case TextKind::deleted_name:
      return "deleted name";
    case TextKind::link_target:
      return "link target";
    case TextKind::encrypted_target:
      return "encrypted link target";
    case TextKind::xattr_name:
      return "attribute name";
    case TextKind::xattr_value:
      return "attribute value";
    case TextKind::label:
      return "label";
    case TextKind::last_mount:
      return "last mount point";
    case TextKind::mount_options:
      return "mount options";
    case TextKind::error_function:
      return "error function";
    case TextKind::mmp_name:
      return "MMP name";
    case TextKind::inline_data:
      return "contents of a file";
    case TextKind::encryption:
      return "encryption data";
    case TextKind::hash_seed:
      return "hash seed";
    case TextKind::slack:
      return "unused bytes";
    case TextKind::journal_text:
      return "journal";
    case TextKind::other_contents:
      return "other contents";
  }
  return {};
}

void visit_unused(const TextPlace& place, TextKind kind, const TextVisitor& visit) {
  const auto is_used = [](std::byte byte) { return byte != std::byte{0}; };
  const auto first = std::ranges::find_if(place.bytes, is_used);
  if (first == place.bytes.end()) return;
  auto end = place.bytes.end();
  while (*(end - 1) == std::byte{0}) --end;
  visit(place.text(kind, static_cast<std::size_t>(first - place.bytes.begin()),
                   static_cast<std::size_t>(end - first)));
}

void visit_field(const TextPlace& place, TextKind kind, const TextVisitor& visit) {
  const auto end = std::ranges::find(place.bytes, std::byte{0});
  const auto length = static_cast<std::size_t>(end - place.bytes.begin());
  if (length > 0) visit(place.text(kind, 0, length));
  visit_unused(place.part(length, place.bytes.size() - length), TextKind::slack, visit);
}

}  // namespace e2qcow::ext2
