// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "qcow2/check/checker.h"
#include "qcow2/format/read_header.h"

namespace e2qcow::qcow2 {
namespace {

// At most this many changes are lost if the program is killed.
constexpr std::uint64_t kMaxChanges = 4096;

void refuse_other_kinds(const Header& header, const CheckResult& result, const std::string& name) {
  const bool ours = header.version == 3 && header.incompatible_features == 0 &&
                    header.autoclear_features == 0 && header.refcount_order == kRefcountOrder &&
                    header.snapshot_count == 0 && result.compressed_clusters == 0;
  if (!ours)
    fail(Errc::unsupported, name +
                                ": writing to a qcow2 image with snapshots, bitmaps, compressed clusters "
                                "or special features is not supported");
}

Header checked_header(const ReadableFile& file) {
  const CheckResult result = check(file);
  if (result.corruptions > 0)
    fail(Errc::corrupt, fmt::format("{}: it is damaged: {}", file.name(), result.messages.front()));
  const Header header = read_header(file);
  refuse_other_kinds(header, result, file.name());
  return header;
}

}  // namespace

Overlay::Overlay(File& file, const ImageSource& below, Durability durability)
    : file_(file),
      below_(below),
      durability_(durability),
      header_(checked_header(file)),
      cluster_size_(header_.geometry().cluster_size()),
      space_(file, header_),
      tables_(file, header_, space_) {
  if (header_.size != below.size())
    fail(Errc::refused, fmt::format("{}: its disk has {} bytes, but that of its backing file has {}",
                                    file.name(), header_.size, below.size()));
}

Mapping Overlay::map(std::uint64_t guest_offset) {
  const std::scoped_lock lock(mutex_);
  tables_.shrink();
  return tables_.map(guest_offset);
}

// Clusters never move, so this needs no lock.
void Overlay::read(const Mapping& mapping, std::uint64_t guest_offset, std::span<std::byte> out) {
  switch (mapping.kind) {
    case Mapping::Kind::unallocated:
      below_.read(guest_offset, out);
      break;
    case Mapping::Kind::data:
      file_.read(*mapping.host_offset, out);
      break;
    default:
      std::ranges::fill(out, std::byte{0});
  }
}

void Overlay::read(std::uint64_t guest_offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const Mapping mapping = map(guest_offset);
    const auto part = out.first(std::min<std::uint64_t>(out.size(), mapping.guest.length));
    read(mapping, guest_offset, part);
    guest_offset += part.size();
    out = out.subspan(part.size());
  }
}

void Overlay::write(std::uint64_t guest_offset, std::span<const std::byte> data) {
  const std::scoped_lock lock(mutex_);
  while (!data.empty()) {
    const std::uint64_t inside = guest_offset % cluster_size_;
    std::size_t written = std::min<std::uint64_t>(data.size(), cluster_size_ - inside);
    if (written == cluster_size_)
      written = write_whole(guest_offset, data.first(round_down(data.size(), cluster_size_)));
    else
      write_inside(guest_offset, data.first(written));
    guest_offset += written;
    data = data.subspan(written);
  }
  if (tables_.changes() >= kMaxChanges) write_tables();
}

L2Entry Overlay::writable_entry(std::uint64_t guest_offset) {
  const L2Entry entry = tables_.entry(guest_offset);
  if (entry.host_offset() != 0 && !entry.copied())
    fail(Errc::unsupported,
         fmt::format("{}: guest offset {}: writing to a cluster with several references is not supported",
                     file_.name(), guest_offset));
  return entry;
}

// A part of a cluster.
void Overlay::write_inside(std::uint64_t guest_offset, std::span<const std::byte> data) {
  const std::uint64_t inside = guest_offset % cluster_size_;
  const L2Entry entry = writable_entry(guest_offset);
  if (entry.host_offset() != 0 && !entry.reads_as_zeros())
    return file_.write(entry.host_offset() + inside, data);
  const std::uint64_t begin = guest_offset - inside;
  std::vector<std::byte> cluster(cluster_size_);
  read(tables_.map(begin), begin, std::span(cluster).first(std::min(cluster_size_, size() - begin)));
  std::ranges::copy(data, cluster.begin() + static_cast<std::ptrdiff_t>(inside));
  const std::uint64_t host_offset = entry.host_offset() != 0 ? entry.host_offset() : space_.take(1).offset;
  file_.write(host_offset, cluster);
  tables_.set(begin, L2Entry::to_cluster(host_offset));
}

// As many whole clusters as fit in one piece of the file; returns their bytes.
std::size_t Overlay::write_whole(std::uint64_t guest_offset, std::span<const std::byte> data) {
  const L2Entry entry = writable_entry(guest_offset);
  Extent host{entry.host_offset(), cluster_size_};
  if (host.offset == 0) host = space_.take(clusters_without_room({guest_offset, data.size()}));
  file_.write(host.offset, data.first(host.length));
  if (entry.host_offset() != 0 && !entry.reads_as_zeros()) return host.length;
  for (std::uint64_t position = 0; position < host.length; position += cluster_size_)
    tables_.set(guest_offset + position, L2Entry::to_cluster(host.offset + position));
  return host.length;
}

std::uint64_t Overlay::clusters_without_room(Extent guest) {
  std::uint64_t position = guest.offset;
  while (position < guest.end() && tables_.entry(position).host_offset() == 0) position += cluster_size_;
  return (position - guest.offset) / cluster_size_;
}

void Overlay::zero(Extent guest) {
  const std::scoped_lock lock(mutex_);
  while (!guest.empty()) {
    const std::uint64_t inside = guest.offset % cluster_size_;
    const std::uint64_t cluster_end = std::min(guest.offset - inside + cluster_size_, size());
    Extent part{guest.offset, std::min(guest.end(), cluster_end) - guest.offset};
    if (inside == 0 && part.end() == cluster_end) {
      if (guest.end() != size()) part.length = round_down(guest.length, cluster_size_);
      if (guest.end() == size()) part.length = guest.length;
      zero_whole(part);
    } else {
      zero_inside(part);
    }
    guest = {part.end(), guest.length - part.length};
  }
}

// The guest offset of the first byte in the range that may not be zero; the end of the range if there is
// none.
std::uint64_t Overlay::first_data(Extent guest) {
  for (std::uint64_t position = guest.offset; position < guest.end();) {
    const Mapping mapping = tables_.map(position);
    if (mapping.kind == Mapping::Kind::data) return position;
    const std::uint64_t end = std::min(mapping.guest.end(), guest.end());
    if (mapping.kind == Mapping::Kind::unallocated) {
      const auto data = below_.next_extent(position);
      if (data && data->offset < end) return data->offset;
    }
    position = end;
  }
  return guest.end();
}

void Overlay::zero_inside(Extent guest) {
  if (first_data(guest) == guest.end()) return;
  write_inside(guest.offset, std::vector<std::byte>(guest.length));
}

// The range is whole clusters; the last may be cut by the end of the disk.
void Overlay::zero_whole(Extent guest) {
  std::uint64_t position = guest.offset;
  while ((position = first_data({position, guest.end() - position})) < guest.end()) {
    position = round_down(position, cluster_size_);
    tables_.set(position, L2Entry::to_zeros(writable_entry(position).host_offset()));
    position = std::min(position + cluster_size_, guest.end());
    if (tables_.changes() >= kMaxChanges) write_tables();
  }
}

void Overlay::write_tables() {
  if (tables_.changes() == 0) return;
  space_.write();
  tables_.write([this] { sync(); });
  tables_.shrink();
}

void Overlay::sync() {
  if (durability_ == Durability::synced) file_.sync();
}

void Overlay::flush() {
  const std::scoped_lock lock(mutex_);
  write_tables();
  sync();
}

}  // namespace e2qcow::qcow2
