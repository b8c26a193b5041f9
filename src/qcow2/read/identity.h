// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qcow2/read/reader.h"

namespace e2qcow::qcow2 {

// What tells an image from others, and from itself after a change of its tables or of its digests, or after a
// program that does not know us has opened it for writing: the first half of a SHA-256 digest. doc/format.md
// has the details.
using Identity = std::array<std::uint8_t, 16>;
Identity identity_of(const Reader& image);

// The identity of the image that a dump was made on, as the dump has it.
Extension encode_base(const Identity& identity);
// Absent if there is none.
std::optional<Identity> decode_base(std::span<const Extension> extensions);

// Whether the image was made on another one than `below`, or that has changed since.
bool lies_on_another(const Reader& image, const Reader& below);

// Throws Errc::other_base if an image of a chain lies on another one than it was made on; a raw disk is
// another. Returns what is to be said if a program that does not know us has opened the upper one since, so
// that nobody knows whether that is meant; empty: nothing. `images` are from the top down.
std::string refuse_other_bases(std::span<const std::unique_ptr<Reader>> images, const ReadableFile* raw_base);

}  // namespace e2qcow::qcow2
