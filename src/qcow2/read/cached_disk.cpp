// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/cached_disk.h"

#include <algorithm>
#include <exception>
#include <system_error>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

// How far a thread decompresses ahead of sequential reads.
constexpr std::uint64_t kAheadBytes = 1 << 20;

}  // namespace

CachedDisk::CachedDisk(const Chain& chain, std::uint64_t cache_bytes)
    : chain_(chain),
      unit_bytes_(chain.read_unit()),
      cache_(cache_bytes, unit_bytes_,
             [this](std::uint64_t unit, std::span<std::byte> out) { load(unit, out); }),
      sequential_reads_(std::max<std::uint64_t>(2, kAheadBytes / unit_bytes_)),
      ahead_([this](std::uint64_t unit) { load_ahead(unit); }, cache_.capacity() / 2) {}

void CachedDisk::read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t rest = unit_bytes_ - guest_offset % unit_bytes_;
    const auto part = out.first(std::min<std::uint64_t>(out.size(), rest));
    read_part(guest_offset, part);
    guest_offset += part.size();
    out = out.subspan(part.size());
  }
}

// Inside of one unit.
void CachedDisk::read_part(std::uint64_t guest_offset, std::span<std::byte> out) const {
  const std::uint64_t unit = guest_offset / unit_bytes_;
  ClusterCache::Cluster cluster = cache_.find(unit);
  while (!cluster && !out.empty()) {
    const Chain::LayerMapping found = find(guest_offset);
    if (found.mapping.kind == Mapping::Kind::compressed) {
      cluster = get(unit);
      if (cluster) break;
    }
    const auto part =
        out.first(std::min<std::uint64_t>(out.size(), found.mapping.guest.end() - guest_offset));
    chain_.read(found, guest_offset, part);
    guest_offset += part.size();
    out = out.subspan(part.size());
  }
  if (!cluster) return;
  std::copy_n(cluster.get() + guest_offset % unit_bytes_, out.size(), out.begin());
  notice(unit);
}

// Null if a part of the unit is damaged: the rest of it can still be read without the cache.
ClusterCache::Cluster CachedDisk::get(std::uint64_t unit) const {
  try {
    return cache_.get(unit);
  } catch (const std::system_error&) {
    return nullptr;
  }
}

// Often the offset is in the same extent as the one before.
Chain::LayerMapping CachedDisk::find(std::uint64_t guest_offset) const {
  {
    const std::scoped_lock lock(mutex_);
    const Extent guest = recent_.mapping.guest;
    if (guest.offset <= guest_offset && guest_offset < guest.end()) return recent_;
  }
  const Chain::LayerMapping found = chain_.map(guest_offset);
  const std::scoped_lock lock(mutex_);
  recent_ = found;
  return found;
}

void CachedDisk::notice(std::uint64_t unit) const {
  const SequentialReads::Units next = sequential_reads_.after_read(unit);
  if (next.count > 0) prefetch({next.first * unit_bytes_, next.count * unit_bytes_});
}

void CachedDisk::prefetch(Extent guest) const {
  if (guest.offset >= size()) return;
  const std::uint64_t first = guest.offset / unit_bytes_;
  const std::uint64_t end =
      divide_up(std::min(guest.length, size() - guest.offset) + guest.offset, unit_bytes_);
  ahead_.add(first, end - first);
}

// The read that needs the unit will fail in the same way.
void CachedDisk::load_ahead(std::uint64_t unit) const noexcept {
  try {
    if (cache_.find(unit)) return;
    if (chain_.map(unit * unit_bytes_).mapping.kind == Mapping::Kind::compressed) cache_.get(unit);
  } catch (const std::exception&) {
    return;
  }
}

void CachedDisk::load(std::uint64_t unit, std::span<std::byte> out) const {
  const std::uint64_t guest_offset = unit * unit_bytes_;
  const std::uint64_t there = std::min<std::uint64_t>(out.size(), size() - guest_offset);
  chain_.read(guest_offset, out.first(there));
  std::ranges::fill(out.subspan(there), std::byte{0});
}

}  // namespace e2qcow::qcow2
