// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay_space.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow::qcow2 {

OverlaySpace::OverlaySpace(File& file, const Header& header)
    : file_(file),
      header_(header),
      cluster_size_(header.geometry().cluster_size()),
      table_(header.refcount_table_clusters * cluster_size_ / sizeof(std::uint64_t)),
      next_cluster_(divide_up(file.size(), cluster_size_)) {
  file_.read(header.refcount_table_offset, std::as_writable_bytes(std::span(table_)));
  for (std::uint64_t& entry : table_) entry = big_endian(entry);
}

Extent OverlaySpace::take(std::uint64_t count) {
  const std::uint64_t entries = header_.geometry().refcount_block_entries();
  Block* block = &block_for(next_cluster_);
  if (next_cluster_ % entries == 0) block = &block_for(next_cluster_);  // past a new block's own cluster
  const std::uint64_t first = next_cluster_;
  const std::uint64_t clusters = std::min(count, entries - first % entries);
  OverlaySpace::count(*block, first % entries, clusters);
  next_cluster_ += clusters;
  return {first * cluster_size_, clusters * cluster_size_};
}

// The block that counts the cluster. If there is none, the cluster itself becomes the block, and the next
// cluster is the first free one.
OverlaySpace::Block& OverlaySpace::block_for(std::uint64_t cluster) {
  const std::uint64_t entries = header_.geometry().refcount_block_entries();
  const std::uint64_t index = cluster / entries;
  if (index >= table_.size())
    fail(Errc::unsupported, fmt::format("{}: its refcount table is full", file_.name()));
  const auto found = changed_.find(index);
  if (found != changed_.end()) return found->second;
  if (table_[index] == 0) return changed_[index] = make_block(index);
  Block block{.host_offset = table_[index], .counts = std::vector<std::uint16_t>(entries)};
  file_.read(block.host_offset, std::as_writable_bytes(std::span(block.counts)));
  return changed_[index] = std::move(block);
}

OverlaySpace::Block OverlaySpace::make_block(std::uint64_t index) {
  const std::uint64_t entries = header_.geometry().refcount_block_entries();
  Block block{.host_offset = next_cluster_ * cluster_size_,
              .is_new = true,
              .counts = std::vector<std::uint16_t>(entries)};
  count(block, next_cluster_ % entries, 1);
  table_[index] = block.host_offset;
  ++next_cluster_;
  return block;
}

void OverlaySpace::count(Block& block, std::uint64_t first, std::uint64_t clusters) {
  for (std::uint64_t i = first; i < first + clusters; ++i) block.counts[i] = big_endian(std::uint16_t{1});
  if (block.first_changed == block.end_changed) block.first_changed = first;
  block.first_changed = std::min(block.first_changed, first);
  block.end_changed = std::max(block.end_changed, first + clusters);
}

void OverlaySpace::write() {
  for (auto& [index, block] : changed_) write(block);
  for (auto& [index, block] : changed_) {
    if (!block.is_new) continue;
    const std::uint64_t entry = big_endian(block.host_offset);
    file_.write(header_.refcount_table_offset + index * sizeof entry, std::as_bytes(std::span(&entry, 1)));
  }
  changed_.clear();
}

void OverlaySpace::write(Block& block) {
  const std::span<const std::uint16_t> counts(block.counts);
  const std::uint64_t first = block.is_new ? 0 : block.first_changed;
  const std::uint64_t end = block.is_new ? counts.size() : block.end_changed;
  file_.write(block.host_offset + first * sizeof(std::uint16_t),
              std::as_bytes(counts.subspan(first, end - first)));
}

}  // namespace e2qcow::qcow2
