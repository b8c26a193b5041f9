// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/compare.h"

#include <algorithm>
#include <array>

#include "base/extents.h"
#include "base/file/data_cursor.h"
#include "image/compare.h"
#include "image/disk_file.h"
#include "image/extent_source.h"
#include "work/disk_classes.h"

namespace e2qcow::work {
namespace {

struct NamedDisk {
  std::string name;
  Disk disk;
};

NamedDisk read(DiskFiles files, qcow2::DataFiles& data_files, unsigned threads) {
  const std::string name = files.name();
  return {name, std::move(files).read(threads, data_files)};
}

// The extents that a dump with this disk holds; absent if that is not known.
std::optional<std::vector<Extent>> held_by(const NamedDisk& dump, unsigned threads) {
  const auto kind = dump.disk.dump_kind();
  if (!kind || *kind == DumpKind::signatures) return std::nullopt;
  const auto classes = classify_disk(dump.disk.source(), dump.name, *kind == DumpKind::all, threads);
  if (!classes) return std::nullopt;
  return ext2::extents_of(classes->runs, classes->block_size, dump.disk.source().size()).extents;
}

// Two disks, or what a dump holds of them.
class ComparedSources {
 public:
  ComparedSources(const std::array<NamedDisk, 2>& disks, const std::optional<std::vector<Extent>>& held)
      : files_{DiskFile(disks[0].disk.source(), disks[0].name),
               DiskFile(disks[1].disk.source(), disks[1].name)} {
    for (std::size_t i = 0; i < disks.size(); ++i) {
      sources_[i] = &disks[i].disk.source();
      if (held) sources_[i] = &held_[i].emplace(files_[i], data_in(files_[i], *held));
    }
  }
  const ImageSource& operator[](std::size_t index) const { return *sources_[index]; }

 private:
  std::array<DiskFile, 2> files_;
  std::array<std::optional<ExtentSource>, 2> held_;
  std::array<const ImageSource*, 2> sources_{};
};

void find_differences(CompareResult& result, const ComparedSources& sources,
                      const std::array<NamedDisk, 2>& disks, CompareDepth depth,
                      const TransferOptions& options) {
  if (depth == CompareDepth::first_difference) {
    result.first_difference = first_difference(sources[0], sources[1], options);
    return;
  }
  const DifferentRanges found = all_differences(sources[0], sources[1], options);
  if (!found.first_byte) return;
  result.first_difference = *found.first_byte;
  result.list = explain_differences({disks[0].name, disks[0].disk.source()},
                                    {disks[1].name, disks[1].disk.source()}, found.ranges, options.threads);
  result.list->is_coarse = found.is_coarse;
}

}  // namespace

CompareResult compare(DiskFiles a, DiskFiles b, qcow2::DataFiles data_files, CompareWhat what,
                      CompareDepth depth, const TransferOptions& options) {
  const std::array disks{read(std::move(a), data_files, options.threads),
                         read(std::move(b), data_files, options.threads)};
  data_files.refuse_surplus();
  const ImageSource& first = disks[0].disk.source();
  const ImageSource& second = disks[1].disk.source();
  CompareResult result;
  result.size_a = first.size();
  result.size_b = second.size();
  std::optional<std::vector<Extent>> held;
  const bool one_is_a_dump = disks[0].disk.dump_kind().has_value() != disks[1].disk.dump_kind().has_value();
  if (what == CompareWhat::what_a_dump_holds && one_is_a_dump) {
    const NamedDisk& dump = disks[0].disk.dump_kind() ? disks[0] : disks[1];
    held = held_by(dump, options.threads);
    if (held) result.dump = dump.name;
  }
  if (options.progress)
    options.progress->begin("compare", held ? total_length(*held) : std::max(result.size_a, result.size_b));
  find_differences(result, ComparedSources(disks, held), disks, depth, options);
  for (const auto& [name, disk] : disks) disk.finish();
  if (!result.first_difference) return result;
  for (const auto& [name, disk] : disks) {
    if (result.structure.empty())
      result.structure = structure_at(disk.source(), name, *result.first_difference, options.threads);
    if (disk.is_metadata_only()) result.partial.push_back(name);
  }
  return result;
}

}  // namespace e2qcow::work
