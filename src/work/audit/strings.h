// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "ext2/texts/text.h"

namespace e2qcow::work {

// Visits the strings in a text that an audit looks for: names as they are, targets also by component, and of
// long or binary ones the pieces that can be read. `text` has the bytes and the offset of the string.
void for_each_string(const ext2::Text& text, const ext2::TextVisitor& visit);

// How many bits a string has that chance must meet: an anonymised dump has random letters, digits, "_" and
// "-", at some places only small letters and few digits. 2 to the power of minus that is the chance that
// random text is the same, in any case of letters. Never more than 255.
unsigned bits_in_any_case(std::string_view text);
// The same if letters must be in the same case.
unsigned bits(std::string_view text);

}  // namespace e2qcow::work
