// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace e2qcow::ext2 {

// What a piece of text in the metadata is. The names are written into reports: append, never change.
enum class TextKind : std::uint8_t {
  name,              // of an entry of a directory
  deleted_name,      // left of an entry that was deleted
  link_target,       // of a symbolic link
  encrypted_target,  // the same, encrypted
  xattr_name,
  xattr_value,
  label,
  last_mount,      // the directory where the file system was mounted last
  mount_options,   // that the superblock keeps
  error_function,  // the function of the kernel that found an error first, or last
  mmp_name,        // of the node or the device that mounted it
  inline_data,     // contents of a file that are stored in its inode
  encryption,      // a salt, or the identifier and nonce of a context
  hash_seed,       // of directories
  slack,           // not zero, in a place that no structure uses
  journal_text,    // in a block of the journal whose purpose is not known
  other_contents,  // in a block that is none of the metadata
};
constexpr std::size_t kTextKinds = 17;

// "name", "deleted name": as reports have them.
std::string_view kind_name(TextKind kind);

// A piece of text, or of bytes that are as private.
struct Text {
  TextKind kind = TextKind::name;
  std::uint64_t owner = 0;   // the inode of the directory, link or file; 0: none is known
  std::uint64_t inode = 0;   // of a name: the one it names, or 0
  std::uint64_t offset = 0;  // of its first byte, in the file system
  std::span<const std::byte> bytes{};
  bool is_well_known = false;  // of an attribute's name: no person gave it

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

// Receives texts. Their bytes are valid only during the call.
using TextVisitor = std::function<void(const Text&)>;

// A part of the disk in memory, and whose it is.
struct TextPlace {
  std::span<const std::byte> bytes;
  std::uint64_t offset = 0;  // of its first byte, in the file system
  std::uint64_t owner = 0;

  Text text(TextKind kind, std::size_t begin, std::size_t length, std::uint64_t inode = 0) const {
    return {kind, owner, inode, offset + begin, bytes.subspan(begin, length)};
  }
  TextPlace part(std::size_t begin, std::size_t length) const {
    return {bytes.subspan(begin, length), offset + begin, owner};
  }
};

// Visits the bytes from the first to the last that is not zero, if there are any.
void visit_unused(const TextPlace& place, TextKind kind, const TextVisitor& visit);

// Visits the bytes up to the first zero, and what is after it as slack.
void visit_field(const TextPlace& place, TextKind kind, const TextVisitor& visit);

}  // namespace e2qcow::ext2
