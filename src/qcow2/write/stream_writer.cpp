// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/stream_writer.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/write/image_header.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::size_t kStreamBufferEntries = 32 * 1024;
constexpr std::uint64_t kFourReferences = 0x0001'0001'0001'0001;  // four refcounts of one

}  // namespace

StreamWriter::Digests::Digests(DigestKind kind, Geometry geometry)
    : clusters(kind, geometry), mapping(kind), refcounts(kind) {}

StreamWriter::StreamWriter(OutputStream& out, const Layout& layout, std::uint32_t version,
                           std::span<const Extension> extensions, std::span<const Extent> extents,
                           std::optional<DigestKind> digest)
    : out_(out), layout_(layout) {
  if (count_clusters(extents, layout_.geometry) != layout_.clusters)
    fail(Errc::refused, out_.name() + ": the layout was planned for other extents");
  const Header header = make_header(layout_, version, std::nullopt, extensions);
  std::vector<Extension> all(extensions.begin(), extensions.end());
  if (digest) {
    digests_.emplace(*digest, layout_.geometry).header = digest_of_header(*digest, header, extensions);
    all.push_back(encode_digest_place({*digest, layout_.end()}));
  }
  out_.write(encode_header(header, all));
  write_l1(extents);
  write_refcounts();
  write_l2(extents);
}

void StreamWriter::put(std::uint64_t value) {
  buffer_.push_back(big_endian(value));
  if (buffer_.size() >= kStreamBufferEntries) flush();
}

void StreamWriter::pad_to(std::uint64_t host_offset) {
  while (position() < host_offset) put(0);
}

void StreamWriter::flush() {
  const auto bytes = std::as_bytes(std::span(buffer_));
  if (hasher_ != nullptr) hasher_->add(bytes);
  out_.write(bytes);
  buffer_.clear();
}

void StreamWriter::begin_digest_of(Hasher* hasher) {
  flush();
  hasher_ = hasher;
}

void StreamWriter::write_l1(std::span<const Extent> extents) {
  begin_digest_of(digests_ ? &digests_->mapping : nullptr);
  std::uint64_t next_table = 0;  // of the disk
  std::uint64_t host_offset = layout_.l2_offset;
  for_each_cluster_run(extents, layout_.geometry, [&](std::uint64_t first, std::uint64_t count) {
    const std::uint64_t last = (first + count - 1) / layout_.geometry.l2_entries();
    std::uint64_t table = std::max(first / layout_.geometry.l2_entries(), next_table);
    pad_to(layout_.l1_offset + table * sizeof(std::uint64_t));
    for (; table <= last; ++table, host_offset += layout_.geometry.cluster_size())
      put(L1Entry::to_table(host_offset).raw());
    next_table = table;
  });
  pad_to(layout_.l1_offset + layout_.l1_entries * sizeof(std::uint64_t));
  begin_digest_of(nullptr);
  pad_to(layout_.refcount_table_offset);
}

// Every cluster from the first to the last is referenced once.
void StreamWriter::write_refcounts() {
  begin_digest_of(digests_ ? &digests_->refcounts : nullptr);
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  for (std::uint64_t i = 0; i < layout_.refcounts.blocks; ++i)
    put(layout_.refcount_blocks_offset + i * cluster_size);
  pad_to(layout_.refcount_blocks_offset);
  const std::uint64_t clusters = layout_.end() / cluster_size;
  for (std::uint64_t i = 0; i < clusters / 4; ++i) put(kFourReferences);
  const std::uint64_t rest = clusters % 4;
  if (rest != 0) put(kFourReferences << (16 * (4 - rest)));
  pad_to(layout_.l2_offset);
}

void StreamWriter::write_l2(std::span<const Extent> extents) {
  begin_digest_of(digests_ ? &digests_->mapping : nullptr);
  const Geometry geometry = layout_.geometry;
  std::uint64_t table = ~0ULL;  // of the disk
  std::uint64_t table_begin = layout_.l2_offset;
  std::uint64_t table_end = layout_.l2_offset;
  std::uint64_t host_offset = layout_.data_offset;
  for_each_cluster_run(extents, geometry, [&](std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t cluster = first; cluster < first + count; ++cluster) {
      if (cluster / geometry.l2_entries() != table) {
        pad_to(table_end);
        table = cluster / geometry.l2_entries();
        table_begin = table_end;
        table_end += geometry.cluster_size();
      }
      pad_to(table_begin + cluster % geometry.l2_entries() * sizeof(std::uint64_t));
      put(L2Entry::to_cluster(host_offset).raw());
      host_offset += geometry.cluster_size();
    }
  });
  pad_to(layout_.data_offset);
  begin_digest_of(nullptr);
}

void StreamWriter::pack(Batch& batch) const {
  batch.pieces.clear();
  std::span<const std::byte> data = batch.data;
  for (const Extent& range : batch.ranges) {
    batch.pieces.push_back({range.offset, data.first(range.length)});
    data = data.subspan(range.length);
  }
  batch.digests.clear();
  if (digests_) digests_->clusters.digest(batch.data, batch.digests);
}

void StreamWriter::append(const Batch& batch) {
  std::span<const std::byte> digests = batch.digests;
  for (const Batch::Piece& piece : batch.pieces)
    if (digests_) digests = digests_->clusters.append(piece, digests);
  for (const Batch::Piece& piece : batch.pieces) out_.write(piece.stored);
}

void StreamWriter::finish() {
  if (out_.written() != layout_.end())
    fail(Errc::changed, fmt::format("{}: the image has {} bytes instead of {}: the source has changed since "
                                    "the tables were written",
                                    out_.name(), out_.written(), layout_.end()));
  if (digests_)
    digests_->clusters.write({digests_->header, digests_->mapping.finish(), digests_->refcounts.finish()},
                             [this](std::span<const std::byte> bytes) { out_.write(bytes); });
}

}  // namespace e2qcow::qcow2
