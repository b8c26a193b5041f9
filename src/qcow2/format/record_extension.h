// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>

#include "image/dump_record.h"
#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// Our header extension, as doc/format.md describes it. Unknown tags are skipped, so that older programs read
// newer images. It fits into the smallest first cluster.
Extension encode_record(const DumpRecord& record);

// Absent if there is none, or one that is invalid.
std::optional<DumpRecord> decode_record(std::span<const Extension> extensions);

}  // namespace e2qcow::qcow2
