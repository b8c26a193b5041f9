// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "ext2/journal/journal_log.h"

namespace e2qcow::ext2 {

// A block of a log that may be replayed.
struct LogPart {
  enum class Kind { descriptor, revoke, commit, copy };

  std::uint64_t device_block;
  Kind kind;
  JournalLog::Tag tag{};            // of a copy: which block it is a copy of
  std::size_t copies = 0;           // of a descriptor: how many copies follow it in the list
  std::size_t transaction_begin{};  // of a commit: the first part of its transaction
};

struct LogParts {
  std::vector<LogPart> parts;  // in order
  std::uint32_t next_sequence = 0;
};

// All blocks from the beginning of the log to the first that is not of the expected sequence.
// Wrong checksums do not end it.
LogParts parts_of_log(const JournalLog& log);

}  // namespace e2qcow::ext2
