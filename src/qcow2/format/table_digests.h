// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <cstdint>
#include <optional>

#include "base/digest.h"
#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// Of the L1 table and then of the L2 tables, in the order of its entries. Absent if they are not like those
// that we write: some are past the end of the file, in a hole, or more than the file has room for.
std::optional<Digest> digest_of_mapping(DigestKind kind, const ReadableFile& file, const Header& header);

// Of the refcount table and then of its blocks, in the same way.
std::optional<Digest> digest_of_refcounts(DigestKind kind, const ReadableFile& file, const Header& header);

}  // namespace e2qcow::qcow2
