// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/refcount_writer.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow::qcow2 {

RefcountWriter::RefcountWriter(File& file, const Layout& layout)
    : file_(file),
      layout_(layout),
      entries_per_block_(layout.geometry.refcount_block_entries()),
      used_(layout.refcounts.blocks) {}

void RefcountWriter::add(std::uint64_t first_cluster, std::uint64_t count) {
  while (count > 0) {
    const std::uint64_t index = first_cluster / entries_per_block_;
    const std::uint64_t first = first_cluster % entries_per_block_;
    const std::uint64_t here = std::min(count, entries_per_block_ - first);
    std::vector<std::uint16_t>& block = block_for(index);
    for (std::uint64_t i = 0; i < here; ++i) ++block[first + i];
    first_cluster += here;
    count -= here;
  }
}

// A block that is not open but in use was written already.
std::vector<std::uint16_t>& RefcountWriter::block_for(std::uint64_t index) {
  if (index >= used_.size())
    fail(Errc::changed, file_.name() + ": there is more to store than planned: the source has changed");
  std::vector<std::uint16_t>& block = open_[index];
  if (block.empty() && used_[index])
    fail(Errc::refused,
         fmt::format("{}: refcount block {} is needed again after it was written", file_.name(), index));
  used_[index] = true;
  block.resize(entries_per_block_);
  return block;
}

std::uint64_t RefcountWriter::references(std::uint64_t cluster) const {
  const auto block = open_.find(cluster / entries_per_block_);
  return block == open_.end() ? 0 : block->second[cluster % entries_per_block_];
}

void RefcountWriter::flush_before(std::uint64_t cluster) {
  const std::uint64_t front_clusters = layout_.data_offset / layout_.geometry.cluster_size();
  const std::uint64_t first = divide_up(front_clusters, entries_per_block_);
  for (auto block = open_.lower_bound(first); block != open_.end();) {
    if ((block->first + 1) * entries_per_block_ > cluster) break;
    write_block(block->first);
    block = open_.erase(block);
  }
}

void RefcountWriter::write_block(std::uint64_t index) {
  std::vector<std::uint16_t> block = open_.at(index);
  for (std::uint16_t& entry : block) entry = big_endian(entry);
  file_.write(layout_.refcount_blocks_offset + index * layout_.geometry.cluster_size(),
              std::as_bytes(std::span(block)));
}

// A block counts the clusters of other blocks, which may bring more blocks into use.
void RefcountWriter::count_own_blocks() {
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  std::vector<bool> counted(used_.size());
  while (counted != used_) {
    for (std::uint64_t index = 0; index < used_.size(); ++index) {
      if (!used_[index] || counted[index]) continue;
      counted[index] = true;
      add(layout_.refcount_blocks_offset / cluster_size + index, 1);
    }
  }
}

void RefcountWriter::finish() {
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  add(layout_.refcount_table_offset / cluster_size, layout_.refcounts.table_clusters);
  count_own_blocks();
  for (const auto& [index, block] : open_) write_block(index);
  std::vector<std::uint64_t> table(layout_.refcounts.table_clusters * cluster_size / sizeof(std::uint64_t));
  for (std::uint64_t index = 0; index < used_.size(); ++index)
    if (used_[index]) table[index] = big_endian(layout_.refcount_blocks_offset + index * cluster_size);
  file_.write(layout_.refcount_table_offset, std::as_bytes(std::span(table)));
}

}  // namespace e2qcow::qcow2
