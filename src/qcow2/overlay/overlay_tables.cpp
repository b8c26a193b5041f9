// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay_tables.h"

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::size_t kMaxTables = 1024;  // in memory, of a cluster each

Mapping::Kind kind_of(L2Entry entry) {
  if (entry.reads_as_zeros()) return Mapping::Kind::zeros;
  return entry.host_offset() == 0 ? Mapping::Kind::unallocated : Mapping::Kind::data;
}

}  // namespace

OverlayTables::OverlayTables(File& file, const Header& header, OverlaySpace& space)
    : file_(file),
      header_(header),
      geometry_(header.geometry()),
      space_(space),
      l1_(divide_up(header.size, geometry_.l2_reach())) {
  file_.read(header_.l1_table_offset, std::as_writable_bytes(std::span(l1_)));
  for (std::uint64_t& entry : l1_) entry = L1Entry(big_endian(entry)).host_offset();
}

const OverlayTables::Table* OverlayTables::find(std::uint64_t l1_index) {
  if (l1_[l1_index] == 0) return nullptr;
  const auto [found, is_new] = tables_.try_emplace(l1_index);
  Table& table = found->second;
  if (!is_new) return &table;
  try {
    table.host_offset = l1_[l1_index];
    table.entries.resize(geometry_.l2_entries());
    file_.read(table.host_offset, std::as_writable_bytes(std::span(table.entries)));
  } catch (...) {
    tables_.erase(found);
    throw;
  }
  return &table;
}

OverlayTables::Table& OverlayTables::need(std::uint64_t l1_index) {
  if (find(l1_index) == nullptr) {
    const std::uint64_t host_offset = space_.take(1).offset;
    Table table{host_offset, std::vector<std::uint64_t>(geometry_.l2_entries()), 0, geometry_.l2_entries()};
    tables_.insert_or_assign(l1_index, std::move(table));
    new_tables_.push_back(l1_index);
    l1_[l1_index] = host_offset;
  }
  return tables_.at(l1_index);
}

L2Entry OverlayTables::entry(std::uint64_t guest_offset) {
  const Table* table = find(guest_offset / geometry_.l2_reach());
  if (table == nullptr) return L2Entry(0);
  return L2Entry(
      big_endian(table->entries[(guest_offset >> geometry_.cluster_bits) % geometry_.l2_entries()]));
}

void OverlayTables::set(std::uint64_t guest_offset, L2Entry entry) {
  Table& table = need(guest_offset / geometry_.l2_reach());
  const std::uint64_t index = (guest_offset >> geometry_.cluster_bits) % geometry_.l2_entries();
  table.entries[index] = big_endian(entry.raw());
  if (table.first_changed == table.end_changed) table.first_changed = table.end_changed = index;
  table.first_changed = std::min(table.first_changed, index);
  table.end_changed = std::max(table.end_changed, index + 1);
  ++changes_;
}

Mapping OverlayTables::map(std::uint64_t guest_offset) {
  const std::uint64_t reach = geometry_.l2_reach();
  std::uint64_t index = guest_offset / reach;
  Mapping mapping;
  if (const Table* table = find(index)) {
    mapping = map_table(*table, guest_offset);
  } else {
    while (index < l1_.size() && l1_[index] == 0) ++index;
    mapping.guest = {guest_offset, index * reach - guest_offset};
  }
  mapping.guest.length = std::min(mapping.guest.end(), header_.size) - guest_offset;
  return mapping;
}

Mapping OverlayTables::map_table(const Table& table, std::uint64_t guest_offset) const {
  const std::uint64_t cluster_size = geometry_.cluster_size();
  std::uint64_t index = (guest_offset >> geometry_.cluster_bits) % geometry_.l2_entries();
  const L2Entry first(big_endian(table.entries[index]));
  Mapping mapping{.kind = kind_of(first),
                  .guest = {guest_offset, cluster_size - guest_offset % cluster_size}};
  if (mapping.kind == Mapping::Kind::data)
    mapping.host_offset = first.host_offset() + guest_offset % cluster_size;
  for (++index; index < table.entries.size(); ++index) {
    const L2Entry next(big_endian(table.entries[index]));
    const bool goes_on =
        kind_of(next) == mapping.kind && (mapping.kind != Mapping::Kind::data ||
                                          next.host_offset() == *mapping.host_offset + mapping.guest.length);
    if (!goes_on) break;
    mapping.guest.length += cluster_size;
  }
  return mapping;
}

void OverlayTables::write(const std::function<void()>& barrier) {
  barrier();
  for (auto& [index, table] : tables_) write(table);
  if (!new_tables_.empty()) barrier();
  for (const std::uint64_t index : new_tables_) {
    const std::uint64_t entry = big_endian(L1Entry::to_table(l1_[index]).raw());
    file_.write(header_.l1_table_offset + index * sizeof entry, std::as_bytes(std::span(&entry, 1)));
  }
  new_tables_.clear();
  changes_ = 0;
}

void OverlayTables::write(Table& table) {
  const std::uint64_t count = table.end_changed - table.first_changed;
  if (count == 0) return;
  file_.write(table.host_offset + table.first_changed * sizeof(std::uint64_t),
              std::as_bytes(std::span(table.entries).subspan(table.first_changed, count)));
  table.first_changed = table.end_changed = 0;
}

void OverlayTables::shrink() {
  if (changes_ == 0 && tables_.size() > kMaxTables) tables_.clear();
}

}  // namespace e2qcow::qcow2
