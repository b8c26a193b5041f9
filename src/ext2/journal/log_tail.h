// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// From where on a journal has to be replayed: everything older is in its place.
struct LogTail {
  std::uint32_t sequence;  // of the oldest transaction, or of the next one
  std::uint64_t start;     // its position in the journal; 0: there is nothing to replay
};

// Absent if there is no journal, it cannot be read, or it has fast commits, which are overwritten without a
// trace. Source of the fields: the kernel's include/linux/jbd2.h, journal_superblock_t
std::optional<LogTail> log_tail(const Filesystem& filesystem);

// Whether a journal that is read after `after` was found still has all transactions since `before` was found.
// The kernel moves the tail before it writes over older transactions.
bool has_kept_everything(const std::optional<LogTail>& before, const std::optional<LogTail>& after);

}  // namespace e2qcow::ext2
