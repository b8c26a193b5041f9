// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/journal_targets.h"

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/journal/journal_log.h"
#include "ext2/journal/recovery.h"

namespace e2qcow::ext2 {
namespace {

bool is_log_block(std::span<const std::byte> block) {
  return block.size() >= JournalLog::kHeaderBytes && load_be<std::uint32_t>(block, 0) == JournalLog::kMagic;
}

bool is_descriptor(std::span<const std::byte> block) {
  return is_log_block(block) &&
         load_be<std::uint32_t>(block, 4) == static_cast<std::uint32_t>(JournalLog::BlockType::descriptor);
}

}  // namespace

JournalTargets journal_targets(const Filesystem& filesystem) {
  JournalTargets targets;
  const auto log = JournalLog::open_any(filesystem, journal_blocks(filesystem));
  if (!log) return targets;
  for (std::uint64_t position = 1; log->device_block_of(position); ++position) {
    throw_if_stopped();
    const auto descriptor = log->read(position);
    if (!is_descriptor(descriptor)) continue;
    std::uint64_t at = position;
    for (const JournalLog::Tag& tag : log->tags_in(descriptor)) {
      at = log->after(at);
      const auto device_block = log->device_block_of(at);
      // A newer transaction may have overwritten the rest.
      if (!device_block || is_log_block(log->read(at))) break;
      targets[*device_block] = tag.block;
    }
  }
  return targets;
}

}  // namespace e2qcow::ext2
