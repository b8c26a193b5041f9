// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>

#include "image/dump_record.h"
#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// Our header extension holds fields of {tag u16, length u16, data}, big-endian, without padding. Unknown tags
// are skipped, so that older programs read newer images. It fits into the smallest first cluster.
Extension encode_record(const DumpRecord& record);

// Absent where there is none, or one that makes no sense: it is information, and nothing depends on it but
// warnings.
std::optional<DumpRecord> decode_record(std::span<const Extension> extensions);

}  // namespace e2qcow::qcow2
