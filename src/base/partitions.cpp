// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/device.h"

#include <blkid/blkid.h>
#include <e2qcow/error.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "base/extents.h"
#include "base/sysfs.h"

namespace e2qcow {
namespace {

namespace fs = std::filesystem;

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

constexpr std::uint64_t kAreaBytes = 64 * 1024;  // around a signature

// Adds the bytes of the part around this offset, cut at its ends.
void add_area(std::vector<Extent>& areas, std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t begin = std::min(offset, size) / kAreaBytes * kAreaBytes;
  if (begin < size) areas.push_back({begin, std::min(kAreaBytes, size - begin)});
}

fs::path sysfs_of(dev_t device) {
  return fmt::format("/sys/dev/block/{}:{}", ::major(device), ::minor(device));
}

}  // namespace

Extent find_partition(const PosixFile& disk, int number) {
  const Probe probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), disk.fd(), 0, 0) != 0)
    fail(Errc::unreadable, disk.name() + ": cannot be searched for partitions");
  blkid_probe_enable_partitions(probe.get(), 1);
  const blkid_partlist list = blkid_probe_get_partitions(probe.get());
  if (!list) fail(Errc::refused, disk.name() + ": no partition table found");
  const blkid_partition partition = blkid_partlist_get_partition_by_partno(list, number);
  if (!partition)
    fail(Errc::refused, fmt::format("{}: there is no partition {} (the table has {})", disk.name(), number,
                                    blkid_partlist_numof_partitions(list)));
  return {static_cast<std::uint64_t>(blkid_partition_get_start(partition)) * kSector,
          static_cast<std::uint64_t>(blkid_partition_get_size(partition)) * kSector};
}

bool has_partitions(const PosixFile& disk) {
  const Probe probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), disk.fd(), 0, 0) != 0) return false;
  blkid_probe_enable_partitions(probe.get(), 1);
  const blkid_partlist list = blkid_probe_get_partitions(probe.get());
  return list != nullptr && blkid_partlist_numof_partitions(list) > 0;
}

std::vector<Extent> recognised_areas(const PosixFile& disk, Extent part) {
  std::vector<Extent> areas;
  add_area(areas, 0, part.length);
  const std::uint64_t end_bytes = std::min(kAreaBytes, part.length);
  if (end_bytes > 0) areas.push_back({part.length - end_bytes, end_bytes});
  const Probe probe(blkid_new_probe());
  const bool can_be_probed =
      probe && blkid_probe_set_device(probe.get(), disk.fd(), static_cast<blkid_loff_t>(part.offset),
                                      static_cast<blkid_loff_t>(part.length)) == 0;
  if (!can_be_probed) return sorted_and_joined(std::move(areas));
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM);
  blkid_probe_enable_partitions(probe.get(), 1);
  blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_MAGIC);
  while (blkid_do_probe(probe.get()) == 0)
    for (const char* const name : {"SBMAGIC_OFFSET", "PTMAGIC_OFFSET"}) {
      const char* text = nullptr;
      if (blkid_probe_lookup_value(probe.get(), name, &text, nullptr) == 0)
        add_area(areas, std::strtoull(text, nullptr, 10), part.length);
    }
  return sorted_and_joined(std::move(areas));
}

Signature find_signature(const PosixFile& disk) {
  const Probe probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), disk.fd(), 0, 0) != 0) return {};
  blkid_probe_enable_partitions(probe.get(), 1);
  blkid_probe_enable_superblocks(probe.get(), 1);
  if (blkid_do_fullprobe(probe.get()) != 0) return {};
  const auto value = [&](const char* name) {
    const char* text = nullptr;
    return blkid_probe_lookup_value(probe.get(), name, &text, nullptr) == 0 ? std::string(text) : "";
  };
  return {value("TYPE"), value("LABEL"), value("PTTYPE")};
}

std::vector<std::string> partitions_in(const PosixFile& disk, Extent range) {
  struct stat status {};
  if (::fstat(disk.fd(), &status) != 0) fail_errno(disk.name() + ": stat");
  std::vector<std::string> names;
  if (!disk.is_block_device()) return names;
  std::error_code no_entries;
  for (const auto& entry : fs::directory_iterator(sysfs_of(status.st_rdev), no_entries)) {
    if (!fs::exists(entry.path() / "partition", no_entries)) continue;
    const Extent partition{number_in(entry.path() / "start") * kSector,
                           number_in(entry.path() / "size") * kSector};
    if (!overlaps(partition, range)) continue;
    std::string name = entry.path().filename();
    std::ranges::replace(name, '!', '/');  // as sysfs writes it
    names.push_back("/dev/" + name);
  }
  return names;
}

}  // namespace e2qcow
