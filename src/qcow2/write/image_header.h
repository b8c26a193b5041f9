// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>

#include "qcow2/codec/codec.h"
#include "qcow2/write/layout.h"

namespace e2qcow::qcow2 {

// The header of an image with the given layout. If the extensions have the record of a dump, it is marked as
// unchanged since (kUnchangedDump).
Header make_header(const Layout& layout, std::uint32_t version, std::optional<Compression> compression,
                   std::span<const Extension> extensions);

}  // namespace e2qcow::qcow2
