// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/printable.h"

#include <fmt/format.h>
#include <utf8proc.h>

namespace e2qcow {
namespace {

// By Unicode's general categories: controls, invisible characters that turn the direction of text or join it,
// ends of lines, and what is not assigned.
bool is_safe(utf8proc_int32_t character) {
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CN:
      return false;
    default:
      return character != '\\';
  }
}

// How many bytes the character at the front has, and whether it may be printed; one byte of what is no UTF-8.
std::pair<std::size_t, bool> next_character(std::string_view text) {
  utf8proc_int32_t character = -1;
  const utf8proc_ssize_t length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                   static_cast<utf8proc_ssize_t>(text.size()), &character);
  if (length <= 0) return {1, false};
  return {static_cast<std::size_t>(length), is_safe(character)};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [length, is_printable] = next_character(text);
    const std::string_view character = text.substr(0, length);
    if (is_printable)
      out += character;
    else
      for (const char byte : character) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace e2qcow
