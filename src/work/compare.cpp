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

std::optional<std::uint64_t> first_difference_in(const std::array<NamedDisk, 2>& disks,
                                                 const std::vector<Extent>& extents,
                                                 const TransferOptions& options) {
  const DiskFile a(disks[0].disk.source(), disks[0].name);
  const DiskFile b(disks[1].disk.source(), disks[1].name);
  const auto source_of = [&](const DiskFile& disk) { return ExtentSource(disk, data_in(disk, extents)); };
  return first_difference(source_of(a), source_of(b), options);
}

}  // namespace

CompareResult compare(DiskFiles a, DiskFiles b, qcow2::DataFiles data_files, CompareWhat what,
                      const TransferOptions& options) {
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
  result.first_difference =
      held ? first_difference_in(disks, *held, options) : first_difference(first, second, options);
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
