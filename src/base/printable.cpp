// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>

namespace e2qcow {
namespace {

// How many bytes the UTF-8 character at the front has; 0 when it is none, or a control character.
std::size_t printable_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7f && lead != '\\' ? 1 : 0;
  if (lead >= 0xc2 && lead < 0xe0) return continues(1) && !(lead == 0xc2 && byte(1) < 0xa0) ? 2 : 0;
  const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
  const bool overlong3 = lead == 0xe0 && byte(1) < 0xa0;
  // U+2028 to U+202E and U+2066 to U+2069 change the direction or the line of what follows.
  const bool directs = lead == 0xe2 && ((byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) ||
                                        (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));
  if (lead >= 0xe0 && lead < 0xf0)
    return continues(1) && continues(2) && !surrogate && !overlong3 && !directs ? 3 : 0;
  const bool in_range = !(lead == 0xf0 && byte(1) < 0x90) && !(lead == 0xf4 && byte(1) >= 0x90);
  if (lead >= 0xf0 && lead < 0xf5) return continues(1) && continues(2) && continues(3) && in_range ? 4 : 0;
  return 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = printable_length(text);
    if (length == 0) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace e2qcow
