// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/partitions.h"

#include <e2qcow/error.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/blkid_probe.h"
#include "base/bytes.h"
#include "base/extents.h"
#include "base/sysfs.h"

namespace e2qcow {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kLargeSector = 4096;

std::vector<std::uint32_t> sector_sizes(const ReadableFile& disk) {
  std::vector<std::uint32_t> sizes{kSector, kLargeSector};
  int logical = 0;
  const auto place = disk.descriptor();
  if (place && ::ioctl(place->fd, BLKSSZGET, &logical) == 0 && logical == kLargeSector)
    std::ranges::reverse(sizes);
  return sizes;
}

std::optional<PartitionTable> read_table(int fd, std::uint32_t sector_size) {
  const Probe probe = probe_of(fd, {});
  if (!probe || blkid_probe_set_sectorsize(probe.get(), sector_size) != 0) return std::nullopt;
  blkid_probe_enable_partitions(probe.get(), 1);
  const blkid_partlist list = blkid_probe_get_partitions(probe.get());
  if (list == nullptr || blkid_partlist_numof_partitions(list) == 0) return std::nullopt;
  PartitionTable table{.sector_size = sector_size};
  if (const blkid_parttable kind = blkid_partlist_get_table(list))
    table.type = blkid_parttable_get_type(kind);
  for (int i = 0; i < blkid_partlist_numof_partitions(list); ++i) {
    const blkid_partition partition = blkid_partlist_get_partition(list, i);
    table.partitions.push_back({blkid_partition_get_partno(partition),
                                {static_cast<std::uint64_t>(blkid_partition_get_start(partition)) * kSector,
                                 static_cast<std::uint64_t>(blkid_partition_get_size(partition)) * kSector},
                                blkid_partition_get_type(partition)});
  }
  return table;
}

std::vector<PartitionTable> read_tables(int fd, std::span<const std::uint32_t> sector_sizes) {
  std::vector<PartitionTable> tables;
  for (const std::uint32_t size : sector_sizes)
    if (auto table = read_table(fd, size)) tables.push_back(std::move(*table));
  return tables;
}

bool can_read(const ReadableFile& disk, std::uint64_t offset, std::span<std::byte> out) {
  try {
    return disk.read_up_to(offset, out) == out.size();
  } catch (const std::system_error&) {
    return false;
  }
}

// The sectors in front of the logical partitions of an MBR.
struct Links {
  std::vector<std::uint64_t> offsets;
  std::optional<std::uint64_t> broken_at{};  // the next one, if it cannot be read or is none
};

// Each names its partition and the next such sector. Source: the Linux kernel, block/partitions/msdos.c,
// parse_extended()
Links links_of(const ReadableFile& disk, Extent extended, std::uint64_t sector_size) {
  constexpr std::size_t kSecondEntry = 446 + 16;
  constexpr std::size_t kFirstSector = 8;
  constexpr std::size_t kSignatureOffset = 510;
  constexpr std::uint16_t kSignature = 0xaa55;
  constexpr std::size_t kMaxLinks = 256;
  std::vector<std::byte> sector(kSector);
  Links links;
  std::uint64_t offset = extended.offset;
  while (links.offsets.size() < kMaxLinks && can_read(disk, offset, sector) &&
         load_le<std::uint16_t>(sector, kSignatureOffset) == kSignature) {
    links.offsets.push_back(offset);
    const std::uint64_t next = load_le<std::uint32_t>(sector, kSecondEntry + kFirstSector);
    if (next == 0) return links;
    offset = extended.offset + next * sector_size;
  }
  links.broken_at = offset;
  return links;
}

bool is_extended(const Partition& partition) {
  return partition.type == 0x05 || partition.type == 0x0f || partition.type == 0x85;
}

// libblkid refuses a table of partitions past the end of the disk, and one with an unreadable sector. So it
// is shown the front of the disk, followed by nothing.
UniqueFd front_of_a_larger_disk(const ReadableFile& disk) {
  constexpr std::size_t kFront = 64 * 1024;
  constexpr off_t kSize = 1LL << 60;
  std::vector<std::byte> front(kFront);
  front.resize(disk.read_up_to(0, front));
  UniqueFd memory(::memfd_create("partitions", MFD_CLOEXEC));
  const bool done =
      memory.get() >= 0 && ::ftruncate(memory.get(), kSize) == 0 &&
      ::pwrite(memory.get(), front.data(), front.size(), 0) == static_cast<ssize_t>(front.size());
  return done ? std::move(memory) : UniqueFd();
}

// Of the logical partitions as well; false if there are none.
bool add_links(const ReadableFile& disk, const std::vector<PartitionTable>& tables, int copy) {
  std::vector<std::byte> sector(kSector);
  bool added = false;
  for (const PartitionTable& table : tables)
    for (const Partition& partition : table.partitions)
      if (is_extended(partition))
        for (const std::uint64_t offset : links_of(disk, partition.range, table.sector_size).offsets)
          added |= can_read(disk, offset, sector) &&
                   ::pwrite(copy, sector.data(), sector.size(), static_cast<off_t>(offset)) ==
                       static_cast<ssize_t>(sector.size());
  return added;
}

[[noreturn]] void fail_without(const ReadableFile& disk, int number, const PartitionTable& table) {
  constexpr int kFirstLogical = 5;
  for (const Partition& partition : table.partitions) {
    if (!is_extended(partition) || number < kFirstLogical) continue;
    if (const auto broken_at = links_of(disk, partition.range, table.sector_size).broken_at)
      fail(Errc::refused,
           fmt::format(
               "{}: partition {} was not found: the chain of logical partitions ends early, because the "
               "sector at {} {}",
               disk.name(), number, *broken_at,
               *broken_at >= disk.size() ? "is past the end of the disk" : "is unreadable or invalid"));
  }
  fail(Errc::refused, fmt::format("{}: there is no partition {} (the table has {})", disk.name(), number,
                                  table.partitions.size()));
}

}  // namespace

std::vector<Extent> partition_table_areas(const ReadableFile& disk) {
  constexpr std::uint64_t kEnds = 256 * 1024;  // a GPT has 33 sectors at the end of the disk
  const std::uint64_t size = disk.size();
  std::vector<Extent> areas{{0, std::min(size, kEnds)},
                            {size - std::min(size, kEnds), std::min(size, kEnds)}};
  for (const PartitionTable& table : partition_tables(disk))
    for (const Partition& partition : table.partitions)
      if (is_extended(partition))
        for (const std::uint64_t offset : links_of(disk, partition.range, table.sector_size).offsets)
          areas.push_back({offset, table.sector_size});
  for (Extent& area : areas) area = common_part(area, {0, size});
  return sorted_and_joined(std::move(areas));
}

std::vector<PartitionTable> partition_tables(const ReadableFile& disk,
                                             std::optional<std::uint32_t> sector_size) {
  const auto sizes = sector_size ? std::vector{*sector_size} : sector_sizes(disk);
  const ProbedPart probed(disk, {});
  auto tables = read_tables(probed.fd(), sizes);
  if (probed.is_copy() && add_links(disk, tables, probed.fd())) return read_tables(probed.fd(), sizes);
  if (!tables.empty()) return tables;
  const UniqueFd larger = front_of_a_larger_disk(disk);
  if (larger.get() < 0) return tables;
  tables = read_tables(larger.get(), sizes);
  return add_links(disk, tables, larger.get()) ? read_tables(larger.get(), sizes) : tables;
}

Extent find_partition(const ReadableFile& disk, int number, std::optional<std::uint32_t> sector_size,
                      const std::function<bool(Extent)>& is_right) {
  const auto tables = partition_tables(disk, sector_size);
  if (tables.empty()) fail(Errc::refused, disk.name() + ": no partition table found");
  std::vector<Extent> ranges;
  for (const PartitionTable& table : tables)
    for (const Partition& partition : table.partitions)
      if (partition.number == number) ranges.push_back(partition.range);
  if (ranges.empty()) fail_without(disk, number, tables.front());
  const auto right = ranges.size() > 1 ? std::ranges::find_if(ranges, is_right) : ranges.end();
  return right == ranges.end() ? ranges.front() : *right;
}

std::vector<std::string> partitions_in(const PosixFile& disk, Extent range) {
  std::vector<std::string> names;
  if (!disk.is_block_device()) return names;
  std::error_code no_entries;
  for (const auto& entry : fs::directory_iterator(sysfs_of(disk.number()), no_entries)) {
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

std::string device_with_uuid(const std::string& uuid) {
  const std::unique_ptr<char, decltype(&std::free)> name(::blkid_evaluate_tag("UUID", uuid.c_str(), nullptr),
                                                         &std::free);
  return name ? name.get() : "";
}

}  // namespace e2qcow
