// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/log_tail.h"

#include "ext2/journal/journal_log.h"
#include "ext2/journal/recovery.h"

namespace e2qcow::ext2 {

std::optional<LogTail> log_tail(const Filesystem& filesystem) {
  const auto log = JournalLog::open_any(filesystem, journal_blocks(filesystem));
  if (!log || log->has_fast_commits()) return std::nullopt;
  return LogTail{log->first_sequence(), log->start()};
}

bool has_kept_everything(const std::optional<LogTail>& before, const std::optional<LogTail>& after) {
  if (!before || !after || before->sequence != after->sequence) return false;
  return before->start == after->start || before->start == 0;
}

}  // namespace e2qcow::ext2
