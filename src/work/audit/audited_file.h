// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "ext2/structures/filesystem.h"
#include "work/image.h"

namespace e2qcow::work {

// What tells whoever has the result of an audit which file it is about.
struct AuditedFile {
  std::uint64_t bytes = 0;
  std::array<std::uint8_t, 32> sha256{};             // of the file, as sha256sum prints it
  std::string filesystem_uuid{};                     // empty: the image has no file system
  std::optional<std::array<std::uint8_t, 8>> key{};  // the fingerprint of the key in the image's record
};

// `filesystem` is that of the image, or null. Reads the whole file.
AuditedFile identify(const Image& image, const ext2::Filesystem* filesystem);

}  // namespace e2qcow::work
