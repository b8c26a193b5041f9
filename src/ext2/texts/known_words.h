// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// Whether an anonymised dump keeps this text by rule: ".", "..", lost+found and #INODE as names, the names of
// attributes that the kernel itself uses, and functions of ext4 and jbd2 that found an error.
bool is_kept(const Text& text);

// Whether the text, in any case of letters, is a part of a word that anonymised dumps and images may have.
bool is_in_known_word(std::string_view text);

// Whether it looks like what an anonymised dump has in place of a text: only "x" and "/", or only zeros.
bool is_filler(std::string_view text);

}  // namespace e2qcow::ext2
