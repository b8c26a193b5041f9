// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/compare.h"

#include <algorithm>
#include <array>

#include "image/compare.h"
#include "work/disk_classes.h"

namespace e2qcow::work {
namespace {

struct NamedDisk {
  std::string name;
  Disk disk;
};

NamedDisk read(DiskFiles files, unsigned threads) {
  const std::string name = files.name();
  return {name, std::move(files).read(threads)};
}

}  // namespace

CompareResult compare(DiskFiles a, DiskFiles b, const TransferOptions& options) {
  const std::array disks{read(std::move(a), options.threads), read(std::move(b), options.threads)};
  const ImageSource& first = disks[0].disk.source();
  const ImageSource& second = disks[1].disk.source();
  CompareResult result;
  result.size_a = first.size();
  result.size_b = second.size();
  if (options.progress) options.progress->begin("compare", std::max(result.size_a, result.size_b));
  result.first_difference = first_difference(first, second, options);
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
