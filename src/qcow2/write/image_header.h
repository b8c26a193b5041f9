// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qcow2/codec/codec.h"
#include "qcow2/write/layout.h"

namespace e2qcow::qcow2 {

// The header of an image with the given layout. If the extensions have the record of a dump, it is marked as
// unchanged since (kUnchangedDump).
Header make_header(const Layout& layout, std::uint32_t version, std::optional<Compression> compression,
                   std::span<const Extension> extensions);

// The file's first cluster with the name of a backing file, which is a qcow2 image, behind the extensions.
// Throws Errc::refused if the name is too long.
std::vector<std::byte> encode_header_with_backing(Header header, std::vector<Extension> extensions,
                                                  const std::string& backing_name);

}  // namespace e2qcow::qcow2
