// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace e2qcow::ext2 {

// A quota file is a header and pieces of 1024 bytes: leaves with entries of owners, and above them the nodes
// of a tree. Source: the kernel's fs/quota/quotaio_v2.h, quota_tree.h
constexpr std::size_t kQuotaPiece = 1024;
constexpr std::size_t kQuotaFileHeader = 32;        // in use, of the first piece
constexpr std::uint32_t kMaxQuotaPieces = 1 << 24;  // of a file with a leaf for each entry of many millions

// The nodes of a tree name pieces of the file.
inline bool is_quota_node(std::span<const std::byte> piece) {
  for (std::size_t i = 0; i < piece.size(); i += sizeof(std::uint32_t))
    if (load_le<std::uint32_t>(piece, i) >= kMaxQuotaPieces) return false;
  return true;
}

// Of users, groups, projects.
inline bool is_quota_header(std::span<const std::byte> piece) {
  constexpr std::array<std::uint32_t, 3> kMagics{0xd9c01f11, 0xd9c01927, 0xd9c03f14};
  return std::ranges::find(kMagics, load_le<std::uint32_t>(piece, 0)) != kMagics.end();
}

// Entries of 72 bytes behind a header, which says how many are in use. Source: struct v2r1_disk_dqblk
struct QuotaLeaf {
  static constexpr std::size_t kHeader = 16;
  static constexpr std::size_t kEntry = 72;
  static constexpr std::size_t kPad = 4;                       // in an entry, 4 bytes
  static constexpr std::array<std::size_t, 2> kTimes{56, 64};  // in an entry, which begins with the id

  static std::uint16_t entries(std::span<const std::byte> piece) { return load_le<std::uint16_t>(piece, 8); }
  static bool is_one(std::span<const std::byte> piece) {
    return load_le<std::uint32_t>(piece, 0) < kMaxQuotaPieces &&
           load_le<std::uint32_t>(piece, 4) < kMaxQuotaPieces &&
           entries(piece) <= (piece.size() - kHeader) / kEntry && is_zero(piece.subspan(10, 6));
  }
};

}  // namespace e2qcow::ext2
