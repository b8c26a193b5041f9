#include "qcow2/writer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "base/bytes.h"
#include "image/pack.h"

namespace e2qcow::qcow2 {
namespace {

// Finished L2 tables are collected and written in pieces of about this size.
constexpr std::uint64_t kTableBufferBytes = 1 << 20;

}  // namespace

Writer::Writer(File& file, const Layout& layout, Options options)
    : file_(file),
      layout_(layout),
      options_(std::move(options)),
      refcounts_(file, layout_),
      next_cluster_(layout.data_offset / layout.geometry.cluster_size()),
      l1_(layout.l1_entries) {
  constexpr std::array<std::byte, kSectorSize> kNoHeader{};
  file_.resize(layout_.end());
  file_.write(0, kNoHeader);
}

void Writer::pack(Batch& batch) const {
  drop_zeros(batch, layout_.geometry.cluster_size());
}

void Writer::append(const Batch& batch) {
  std::vector<std::span<const std::byte>> parts;
  const std::uint64_t host_offset = next_cluster_ * layout_.geometry.cluster_size();
  for (const Batch::Piece& piece : batch.pieces) {
    append_clusters(piece);
    parts.push_back(piece.stored);
  }
  file_.write(host_offset, parts);
  refcounts_.flush_before(next_cluster_);
}

void Writer::append_clusters(const Batch::Piece& piece) {
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  const std::uint64_t count = piece.stored.size() / cluster_size;
  for (std::uint64_t i = 0; i < count; ++i)
    set_l2_entry(piece.guest_offset + i * cluster_size,
                 L2Entry::to_cluster((next_cluster_ + i) * cluster_size));
  refcounts_.add(next_cluster_, count);
  next_cluster_ += count;
}

void Writer::set_l2_entry(std::uint64_t guest_offset, L2Entry entry) {
  const std::uint64_t entries = layout_.geometry.l2_entries();
  const std::uint64_t cluster_index = guest_offset >> layout_.geometry.cluster_bits;
  const std::uint64_t table = cluster_index / entries;
  if (table != l2_index_) {
    finish_l2_table();
    l2_index_ = table;
    l2_.resize(l2_.size() + entries);
  }
  l2_[l2_.size() - entries + cluster_index % entries] = big_endian(entry.raw());
}

void Writer::finish_l2_table() {
  if (l2_index_ == kNoTable) return;
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  const std::uint64_t number = l2_written_ + l2_.size() / layout_.geometry.l2_entries() - 1;
  assert(number < layout_.clusters.l2_tables);
  l1_[l2_index_] = big_endian(L1Entry::to_table(layout_.l2_offset + number * cluster_size).raw());
  l2_index_ = kNoTable;
  if (l2_.size() * sizeof l2_[0] >= kTableBufferBytes) write_l2_tables();
}

void Writer::write_l2_tables() {
  file_.write(layout_.l2_offset + l2_written_ * layout_.geometry.cluster_size(),
              std::as_bytes(std::span(l2_)));
  l2_written_ += l2_.size() / layout_.geometry.l2_entries();
  l2_.clear();
}

void Writer::write_l1_table() {
  l1_.resize((layout_.refcount_table_offset - layout_.l1_offset) / sizeof(std::uint64_t));
  file_.write(layout_.l1_offset, std::as_bytes(std::span(l1_)));
}

void Writer::write_header() {
  Header header;
  header.version = options_.version;
  header.cluster_bits = layout_.geometry.cluster_bits;
  header.size = layout_.disk_size;
  header.l1_size = static_cast<std::uint32_t>(layout_.l1_entries);
  header.l1_table_offset = layout_.l1_offset;
  header.refcount_table_offset = layout_.refcount_table_offset;
  header.refcount_table_clusters = static_cast<std::uint32_t>(layout_.refcounts.table_clusters);
  header.header_length = options_.version == 2 ? kHeaderLengthV2 : kHeaderLengthV3;
  file_.write(0, encode_header(header, options_.extensions()));
}

void Writer::finish() {
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  finish_l2_table();
  write_l2_tables();
  write_l1_table();
  refcounts_.add(0, layout_.refcount_table_offset / cluster_size);  // header and L1
  refcounts_.add(layout_.l2_offset / cluster_size, l2_written_);
  refcounts_.finish();
  file_.resize(next_cluster_ * cluster_size);
  write_header();
}

}  // namespace e2qcow::qcow2
