// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ext2/texts/text.h"

namespace e2qcow::work {

// The strings of a file system that must not be in an anonymised dump. They are kept in a file, so that the
// memory does not depend on their number.
class PrivateTexts {
 public:
  // `file` is empty.
  explicit PrivateTexts(std::unique_ptr<File> file);

  void add(const ext2::Text& text);
  // Call it after the last one.
  void finish();

  struct String {
    std::uint64_t id = 0;  // its offset in the file
    ext2::TextKind kind = ext2::TextKind::name;
    std::uint64_t owner = 0;
    std::uint64_t inode = 0;
    std::uint64_t offset = 0;  // in the file system
    std::string bytes{};
  };
  std::uint64_t end() const { return end_; }  // past the last one
  // The string with this id, and that of the next.
  String read(std::uint64_t id) const;
  // Calls visit(String) from this one on, until it returns false; returns the id of the next.
  std::uint64_t for_each_from(std::uint64_t id, const std::function<bool(const String&)>& visit) const;

  // Of the texts in the file system, equal ones in one directory once.
  std::uint64_t count() const { return count_; }
  std::uint64_t count(ext2::TextKind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }
  std::uint64_t bytes() const { return bytes_; }
  // Not collected: words that a dump keeps, and what cannot be told from filler.
  std::uint64_t kept() const { return kept_; }
  std::uint64_t fillers() const { return fillers_; }
  // The words that a dump keeps and that are no fixed list: functions that found an error.
  const std::set<std::string>& kept_functions() const { return kept_functions_; }

  // By bits_in_any_case(): how many strings, and the length of the shortest.
  struct Bits {
    std::uint64_t count = 0;
    std::size_t min_length = ~std::size_t{0};
  };
  const std::array<Bits, 256>& by_bits() const { return by_bits_; }

 private:
  struct Head;
  void add_string(const ext2::Text& text);
  bool is_new(const ext2::Text& text, unsigned bits);
  void write(const ext2::Text& text);
  void flush();

  std::unique_ptr<File> file_;
  std::vector<std::byte> buffer_;
  std::uint64_t end_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t kept_ = 0;
  std::uint64_t fillers_ = 0;
  std::array<std::uint64_t, ext2::kTextKinds> kinds_{};
  std::array<Bits, 256> by_bits_{};
  std::set<std::string> kept_functions_;
  std::vector<std::uint64_t> seen_;  // hashes of strings that were added lately
};

}  // namespace e2qcow::work
