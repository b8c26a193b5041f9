// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/disk_classes.h"

#include <fmt/format.h>

#include <algorithm>

#include "ext2/selection/select.h"
#include "image/disk_file.h"

namespace e2qcow::work {

std::optional<DiskClasses> classify_disk(const ImageSource& disk, const std::string& name, bool all,
                                         unsigned threads) {
  const DiskFile file(disk, name);
  const auto superblock = ext2::read_superblock(file, ext2::kSuperblockOffset);
  if (!superblock) return std::nullopt;
  const ext2::Filesystem filesystem(file, *superblock);
  ext2::Findings findings;
  const DumpKind kind = all ? DumpKind::all : DumpKind::metadata;
  return DiskClasses{superblock->block_size(),
                     ext2::classify_blocks(filesystem, {.kind = kind, .threads = threads}, findings)};
}

std::string structure_at(const ImageSource& disk, const std::string& name, std::uint64_t guest_offset,
                         unsigned threads) {
  const auto classes = classify_disk(disk, name, true, threads);
  if (!classes) return "";
  const std::uint64_t block = guest_offset / classes->block_size;
  const auto run =
      std::ranges::upper_bound(classes->runs, block, {}, [](const auto& r) { return r.blocks.end(); });
  const bool found = run != classes->runs.end() && run->blocks.first <= block;
  return fmt::format("block {}, {}", block, found ? class_name(run->block_class) : "not in use");
}

}  // namespace e2qcow::work
