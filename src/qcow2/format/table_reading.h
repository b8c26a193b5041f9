// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::qcow2 {

// Tables are read in pieces of about this size.
constexpr std::uint64_t kTablePieceBytes = 1 << 20;

// Calls visit(index, value) for the 64-bit entries of a table, which is inside the file.
template <typename Visit>
void for_each_entry(const ReadableFile& file, std::uint64_t host_offset, std::uint64_t count, Visit visit) {
  std::vector<std::uint64_t> piece;
  for (std::uint64_t first = 0; first < count; first += piece.size()) {
    throw_if_stopped();
    piece.resize(std::min<std::uint64_t>(count - first, kTablePieceBytes / sizeof(std::uint64_t)));
    file.read(host_offset + first * sizeof(std::uint64_t), std::as_writable_bytes(std::span(piece)));
    for (std::uint64_t i = 0; i < piece.size(); ++i) visit(first + i, big_endian(piece[i]));
  }
}

// Calls visit(table, bytes) for tables of one cluster each, which are inside the file. Those that follow each
// other both in the file and in `tables` are read together. A Table has a host_offset.
template <typename Table, typename Visit>
void for_each_table(const ReadableFile& file, std::span<const Table> tables, std::uint64_t cluster_size,
                    Visit visit) {
  std::vector<std::byte> piece;
  while (!tables.empty()) {
    throw_if_stopped();
    std::size_t count = 1;
    while (count < tables.size() && count * cluster_size < kTablePieceBytes &&
           tables[count].host_offset == tables[0].host_offset + count * cluster_size)
      ++count;
    piece.resize(count * cluster_size);
    file.read(tables[0].host_offset, piece);
    for (std::size_t i = 0; i < count; ++i)
      visit(tables[i], std::span<const std::byte>(piece).subspan(i * cluster_size, cluster_size));
    tables = tables.subspan(count);
  }
}

}  // namespace e2qcow::qcow2
