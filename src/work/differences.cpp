// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/differences.h"

#include <algorithm>
#include <set>

#include "base/extents.h"
#include "image/disk_file.h"
#include "work/disk_classes.h"

namespace e2qcow::work {
namespace {

using ClassifiedRuns = std::vector<Differences::Part>;

// The parts of the ranges that have a class on the disk, ascending. None if there is no file system.
ClassifiedRuns classify(const NamedSource& source, const std::vector<Extent>& ranges, unsigned threads) {
  ClassifiedRuns parts;
  const auto classes = classify_disk(source.disk, source.name, true, threads);
  if (!classes) return parts;
  for (const auto& [blocks, block_class] : classes->runs) {
    const Extent run{blocks.first * classes->block_size, blocks.count * classes->block_size};
    for (const Extent& range : from_first_after(ranges, run.offset)) {
      if (!overlaps(range, run)) break;
      parts.push_back({common_part(range, run), block_class});
    }
  }
  return parts;
}

std::vector<Extent> ranges_of(const ClassifiedRuns& parts) {
  std::vector<Extent> ranges;
  for (const auto& [range, block_class] : parts) add_joined(ranges, range);
  return ranges;
}

// Each part once, in the class of the second disk, or else of the first.
std::vector<Differences::Part> all_parts(const NamedSource& a, const NamedSource& b,
                                         const std::vector<Extent>& ranges, unsigned threads) {
  ClassifiedRuns parts = classify(b, ranges, threads);
  const std::vector<Extent> left = without(ranges, ranges_of(parts));
  const ClassifiedRuns of_a = classify(a, left, threads);
  const std::vector<Extent> unknown = without(left, ranges_of(of_a));
  parts.insert(parts.end(), of_a.begin(), of_a.end());
  for (const Extent& range : unknown) parts.push_back({range});
  std::ranges::sort(parts, {}, [](const Differences::Part& part) { return part.range.offset; });
  return parts;
}

std::vector<ext2::AffectedFile> files_on(const NamedSource& source, const std::vector<Extent>& ranges) {
  const DiskFile disk(source.disk, source.name);
  const auto superblock = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  if (!superblock) return {};
  return ext2::find_file_names(ext2::Filesystem(disk, *superblock), nullptr, ranges, {}).hit;
}

std::vector<ext2::AffectedFile> files_on_either(const NamedSource& a, const NamedSource& b,
                                                const std::vector<Extent>& ranges) {
  std::vector<ext2::AffectedFile> files = files_on(b, ranges);
  std::set<std::uint64_t> known;
  for (const ext2::AffectedFile& file : files) known.insert(file.inode);
  for (ext2::AffectedFile& file : files_on(a, ranges))
    if (!known.contains(file.inode)) files.push_back(std::move(file));
  std::ranges::sort(files, {}, &ext2::AffectedFile::inode);
  return files;
}

}  // namespace

Differences explain_differences(const NamedSource& a, const NamedSource& b, const std::vector<Extent>& ranges,
                                unsigned threads) {
  Differences differences;
  differences.parts = all_parts(a, b, ranges, threads);
  differences.bytes = total_length(ranges);
  for (const auto& [range, block_class] : differences.parts)
    if (block_class) differences.bytes_by_class[*block_class] += range.length;
  differences.files = files_on_either(a, b, ranges);
  return differences;
}

}  // namespace e2qcow::work
