// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/qcow2_sink.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "image/drop_zeros.h"

namespace e2qcow::compat {

Qcow2Sink::Qcow2Sink(File& file, const E2imageLayout& plan, qcow2::TableWriter::Background background)
    : file_(file),
      plan_(plan),
      placement_(plan),
      l1_(file, plan.l1_offset, background),
      l2_(plan.geometry.l2_entries()) {
  constexpr std::array<std::byte, qcow2::kSectorSize> kNoHeader{};
  file_.write(0, kNoHeader);
}

void Qcow2Sink::pack(Batch& batch) const {
  drop_zeros(batch, granularity());
}

void Qcow2Sink::append(const Batch& batch) {
  Run run;
  for (const Batch::Piece& piece : batch.pieces)
    for (std::uint64_t position = 0; position < piece.stored.size(); position += granularity())
      append_cluster(run, place(piece.guest_offset + position),
                     piece.stored.subspan(position, granularity()));
  write_run(run);
}

void Qcow2Sink::append_cluster(Run& run, std::uint64_t host_offset, std::span<const std::byte> data) {
  if (host_offset != run.end) {
    write_run(run);
    run.host_offset = host_offset;
  }
  run.end = host_offset + data.size();
  const bool continues =
      !run.parts.empty() && run.parts.back().data() + run.parts.back().size() == data.data();
  if (continues)
    run.parts.back() = {run.parts.back().data(), run.parts.back().size() + data.size()};
  else
    run.parts.push_back(data);
}

void Qcow2Sink::write_run(Run& run) {
  file_.write(run.host_offset, run.parts);
  run.parts.clear();
}

// Finds the host offset of a block, enters it into the tables, and returns it.
std::uint64_t Qcow2Sink::place(std::uint64_t guest_offset) {
  const std::uint64_t block = guest_offset >> plan_.geometry.cluster_bits;
  const E2imagePlacer::Placed placed = placement_.place(block);
  if (placed.new_l2_table) {
    write_l2_table();
    l2_offset_ = *placed.new_l2_table;
    l1_.set(plan_.l1_offset + block / l2_.size() * sizeof(std::uint64_t),
            qcow2::L1Entry::to_table(l2_offset_).raw());
  }
  l2_[block % l2_.size()] = big_endian(qcow2::L2Entry::to_cluster(placed.host_offset).raw());
  return placed.host_offset;
}

void Qcow2Sink::write_l2_table() {
  if (l2_offset_ == 0) return;
  file_.write(l2_offset_, std::as_bytes(std::span(l2_)));
  std::ranges::fill(l2_, 0);
}

// Each cluster is counted once.
void Qcow2Sink::write_refcounts() {
  const std::vector<std::uint64_t>& blocks = placement_.refcount_blocks();
  if (blocks.size() > plan_.refcount_blocks())
    fail(Errc::changed, file_.name() + ": more data than planned: the source changed during the copy");
  const std::uint64_t entries = plan_.geometry.refcount_block_entries();
  std::vector<std::uint16_t> counts(entries, big_endian(std::uint16_t{1}));
  for (std::uint64_t i = 0; i < blocks.size(); ++i) {
    const std::uint64_t used = std::min(entries, placement_.counted_clusters() - i * entries);
    std::fill(counts.begin() + static_cast<std::ptrdiff_t>(used), counts.end(), 0);
    file_.write(blocks[i], std::as_bytes(std::span(counts)));
  }
  std::vector<std::uint64_t> table(plan_.refcount_blocks());
  std::ranges::transform(blocks, table.begin(), big_endian<std::uint64_t>);
  file_.write(plan_.refcount_table_offset, std::as_bytes(std::span(table)));
}

void Qcow2Sink::finish() {
  placement_.finish();
  write_l2_table();
  l1_.finish(plan_.l1_offset + plan_.l1_entries * sizeof(std::uint64_t));
  write_refcounts();
  qcow2::Header header;
  header.version = 2;
  header.header_length = qcow2::kHeaderLengthV2;
  header.cluster_bits = plan_.geometry.cluster_bits;
  header.size = plan_.disk_size;
  header.l1_size = static_cast<std::uint32_t>(plan_.l1_entries);
  header.l1_table_offset = plan_.l1_offset;
  header.refcount_table_offset = plan_.refcount_table_offset;
  header.refcount_table_clusters = static_cast<std::uint32_t>(plan_.refcount_table_clusters);
  file_.write(0, qcow2::encode_header(header, {}));
}

}  // namespace e2qcow::compat
