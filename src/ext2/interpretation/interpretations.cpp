// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/interpretations.h"

#include "ext2/interpretation/superblock_copies.h"

namespace e2qcow::ext2 {
namespace {

void add_replayed(const Filesystem& filesystem, std::vector<Interpretation>& interpretations) {
  if (interpretations.size() == kMaxInterpretations) return;
  Replay replay = read_journal(filesystem);
  if (replay.is_empty()) return;
  Interpretation interpretation;
  interpretation.fast_inodes = std::move(replay.inodes);
  const Filesystem* journal = filesystem.external_journal;
  interpretation.replayed =
      std::make_unique<ReplayedFile>(filesystem.file, journal == nullptr ? filesystem.file : journal->file,
                                     filesystem.geometry.block_size(), std::move(replay.blocks));
  const auto superblock = read_superblock(*interpretation.replayed, filesystem.superblock.offset);
  interpretation.filesystem =
      std::make_unique<Filesystem>(*interpretation.replayed, superblock.value_or(filesystem.superblock));
  interpretation.filesystem->external_journal = journal;
  interpretations.push_back(std::move(interpretation));
}

}  // namespace

std::vector<Interpretation> other_interpretations(const Filesystem& filesystem) {
  std::vector<Interpretation> interpretations;
  add_replayed(filesystem, interpretations);
  for (const Superblock& copy : differing_copies(filesystem, kMaxInterpretations / 2 - 1)) {
    if (interpretations.size() == kMaxInterpretations) break;
    interpretations.push_back({nullptr, std::make_unique<Filesystem>(filesystem.file, copy), {}});
    interpretations.back().filesystem->external_journal = filesystem.external_journal;
    add_replayed(*interpretations.back().filesystem, interpretations);
  }
  return interpretations;
}

}  // namespace e2qcow::ext2
