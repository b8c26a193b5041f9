// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/known_words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "ext2/structures/superblock.h"
#include "ext2/structures/xattr.h"

namespace e2qcow::ext2 {
namespace {

// NOLINTNEXTLINE(misc-unused-using-decls): it does not see the literals
using std::string_view_literals::operator""sv;

// What images have in their header (qcow2 spec, "Feature name table"), and anonymised file systems as label.
constexpr std::array kOtherWords{"lost+found"sv,         "dirty bit"sv,        "corrupt bit"sv,
                                 "external data file"sv, "compression type"sv, "extended l2 entries"sv,
                                 "lazy refcounts"sv,     "bitmaps"sv,          "raw external data"sv,
                                 "anonymised"sv,         "anonymized"sv};

constexpr std::array kLabels{"anonymised"sv, "anonymized"sv};

bool is_small_in(std::string_view word, std::string_view text) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(word.begin(), word.end(), text.begin(), text.end(), same) != word.end();
}

bool is_kept_name(const Text& text) {
  const std::string_view name = text.view();
  return name == "." || name == ".." || name == "lost+found" ||
         (name.starts_with("#") && name.substr(1) == std::to_string(text.inode));
}

}  // namespace

bool is_kept(const Text& text) {
  switch (text.kind) {
    case TextKind::name:
    case TextKind::deleted_name:
      return is_kept_name(text);
    case TextKind::xattr_name:
      return text.is_well_known;
    case TextKind::error_function:
      return is_name_of_function(text.view());
    case TextKind::label:
      return std::ranges::find(kLabels, text.view()) != kLabels.end();
    default:
      return false;
  }
}

bool is_in_known_word(std::string_view text) {
  const auto has_it = [&](std::string_view word) { return is_small_in(word, text); };
  return std::ranges::any_of(well_known_xattr_names(), has_it) || std::ranges::any_of(kOtherWords, has_it);
}

bool is_filler(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == 'x' || c == '/'; }) ||
         std::ranges::all_of(text, [](char c) { return c == '\0'; });
}

}  // namespace e2qcow::ext2
