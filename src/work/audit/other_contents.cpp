// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/other_contents.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/extents.h"
#include "base/stop.h"
#include "ext2/selection/select.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kContentsPiece = 1 << 20;

void visit_blocks(std::span<const std::byte> bytes, std::uint64_t offset, std::uint32_t block_size,
                  const ext2::TextVisitor& visit) {
  while (!bytes.empty()) {
    const std::uint64_t length = std::min<std::uint64_t>(bytes.size(), block_size - offset % block_size);
    if (!is_zero(bytes.first(length)))
      visit({ext2::TextKind::other_contents, 0, 0, offset, bytes.first(length)});
    bytes = bytes.subspan(length);
    offset += length;
  }
}

}  // namespace

void visit_other_contents(const ext2::Filesystem& filesystem, const ReadableFile& disk,
                          const std::vector<Extent>& data, unsigned threads, const ext2::TextVisitor& visit) {
  const std::uint32_t block_size = filesystem.geometry.block_size();
  ext2::Findings known_already;
  const auto metadata = ext2::extents_of(
      ext2::classify_blocks(filesystem, {.threads = threads}, known_already), block_size, disk.size());
  std::vector<std::byte> bytes;
  for (const Extent& extent : without(data, metadata.extents))
    for (std::uint64_t done = 0; done < extent.length; done += kContentsPiece) {
      throw_if_stopped();
      bytes.resize(std::min(kContentsPiece, extent.length - done));
      disk.read(extent.offset + done, bytes);
      visit_blocks(bytes, extent.offset + done, block_size, visit);
    }
}

}  // namespace e2qcow::work
