// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/writer.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "image/drop_zeros.h"
#include "qcow2/format/table_digests.h"
#include "qcow2/write/image_header.h"

namespace e2qcow::qcow2 {

Writer::Writer(File& file, const Layout& layout, Options options)
    : file_(file),
      layout_(layout),
      options_(std::move(options)),
      refcounts_(file, layout_),
      allocator_(refcounts_, layout_),
      l1_(file, layout.l1_offset, options_.background),
      l2_(file, layout.l2_offset, options_.background) {
  constexpr std::array<std::byte, kSectorSize> kNoHeader{};
  if (options_.digest) digests_.emplace(*options_.digest, layout_.geometry);
  // On a device everything must fit; the size of the compressed data is not known yet.
  const std::uint64_t needed = options_.compression ? layout_.data_offset : layout_.end();
  if (file_.size() < needed) file_.resize(needed);
  if (!options_.compression) file_.expect_writes(layout_.end() - layout_.data_offset);
  file_.write(0, kNoHeader);
}

void Writer::pack(Batch& batch) const {
  if (options_.base != nullptr)
    keep_differences(batch, layout_.geometry.cluster_size(), *options_.base);
  else
    drop_zeros(batch, layout_.geometry.cluster_size());
  batch.digests.clear();
  if (digests_)
    for (const Batch::Piece& piece : batch.pieces) digests_->digest(piece.stored, batch.digests);
  if (options_.compression) compress(batch);
}

// Replaces the pieces by one for each cluster that shrinks, and one for each run between these.
void Writer::compress(Batch& batch) const {
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  const auto encoder = encoders_.borrow([this] { return make_encoder(*options_.compression); });
  batch.packed.resize(batch.data.size());
  std::span<std::byte> room = batch.packed;
  std::vector<Batch::Piece> pieces;
  for (const Batch::Piece& piece : batch.pieces) {
    if (piece.zeros != 0) pieces.push_back(piece);
    for (std::uint64_t position = 0; position < piece.stored.size(); position += cluster_size) {
      const auto cluster = piece.stored.subspan(position, cluster_size);
      const std::size_t size = encoder->encode(cluster, room.first(cluster_size - 1));
      const auto stored = size == 0 ? cluster : std::span<const std::byte>(room.first(size));
      pieces.push_back({piece.guest_offset + position, stored, size != 0});
      room = room.subspan(size);
    }
  }
  batch.pieces = std::move(pieces);
}

void Writer::append(const Batch& batch) {
  std::vector<std::span<const std::byte>> parts;  // of one run in the file
  std::uint64_t run_offset = 0;
  std::uint64_t run_end = 0;
  std::span<const std::byte> digests = batch.digests;
  for (const Batch::Piece& piece : batch.pieces) {
    if (piece.zeros != 0) {
      hide_below(piece);
      continue;
    }
    const std::uint64_t host_offset = allocate(piece);
    if (digests_) digests = digests_->append(piece, digests);
    if (piece.shareable && file_.share(host_offset, *piece.shareable, piece.stored.size())) continue;
    if (host_offset != run_end) {
      file_.write(run_offset, parts);
      parts.clear();
      run_offset = host_offset;
    }
    parts.push_back(piece.stored);
    run_end = host_offset + piece.stored.size();
  }
  file_.write(run_offset, parts);
  refcounts_.flush_before(allocator_.first_open_cluster());
}

// Allocates room for the piece, enters it into the tables, and returns its host offset.
std::uint64_t Writer::allocate(const Batch::Piece& piece) {
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  if (piece.compressed) {
    const std::uint64_t host_offset = allocator_.allocate_compressed(piece.stored.size());
    set_l2_entry(piece.guest_offset,
                 L2Entry::to_compressed(host_offset, piece.stored.size(), layout_.geometry));
    return host_offset;
  }
  const std::uint64_t count = piece.stored.size() / cluster_size;
  const std::uint64_t host_offset = allocator_.allocate_clusters(count);
  for (std::uint64_t i = 0; i < count; ++i)
    set_l2_entry(piece.guest_offset + i * cluster_size, L2Entry::to_cluster(host_offset + i * cluster_size));
  return host_offset;
}

void Writer::hide_below(const Batch::Piece& piece) {
  for (std::uint64_t offset = piece.guest_offset; offset < piece.end(); offset += granularity())
    set_l2_entry(offset, L2Entry::to_zeros(0));
}

void Writer::set_l2_entry(std::uint64_t guest_offset, L2Entry entry) {
  const Geometry geometry = layout_.geometry;
  const std::uint64_t cluster_index = guest_offset >> geometry.cluster_bits;
  const std::uint64_t table = cluster_index / geometry.l2_entries();
  if (table != l2_index_) {
    if (l2_tables_ == layout_.clusters.l2_tables)
      fail(Errc::changed, file_.name() + ": there is more to store than planned: the source has changed");
    const std::uint64_t host_offset = layout_.l2_offset + l2_tables_ * geometry.cluster_size();
    l1_.set(layout_.l1_offset + table * sizeof(std::uint64_t), L1Entry::to_table(host_offset).raw());
    l2_index_ = table;
    ++l2_tables_;
  }
  const std::uint64_t begin = layout_.l2_offset + (l2_tables_ - 1) * geometry.cluster_size();
  l2_.set(begin + cluster_index % geometry.l2_entries() * sizeof(std::uint64_t), entry.raw());
}

void Writer::finish() {
  const std::uint64_t cluster_size = layout_.geometry.cluster_size();
  l1_.finish(layout_.refcount_table_offset);
  l2_.finish(layout_.l2_offset + l2_tables_ * cluster_size);
  refcounts_.add(0, layout_.refcount_table_offset / cluster_size);  // header and L1
  refcounts_.add(layout_.l2_offset / cluster_size, l2_tables_);
  refcounts_.finish();
  file_.resize(image_size());
  auto extensions = options_.extensions();
  const Header header = make_header(layout_, options_.version, options_.compression, extensions);
  if (digests_) write_digests(header, extensions);
  if (digests_) extensions.push_back(encode_digest_place({*options_.digest, allocator_.end()}));
  if (options_.background == TableWriter::Background::old_data) file_.sync();
  file_.write(0, first_cluster(header, extensions));
}

std::vector<std::byte> Writer::first_cluster(const Header& header,
                                             const std::vector<Extension>& extensions) const {
  if (options_.base == nullptr) return encode_header(header, extensions);
  return encode_header_with_backing(header, extensions, options_.backing_name);
}

// Behind the last cluster, where no refcount claims the space.
void Writer::write_digests(const Header& header, std::span<const Extension> extensions) {
  const DigestKind kind = *options_.digest;
  const auto mapping = digest_of_mapping(kind, file_, header);
  const auto refcounts = digest_of_refcounts(kind, file_, header);
  Header named = header;
  if (options_.base != nullptr) named.backing_file_offset = named.backing_file_size = 1;  // counts as one
  if (!mapping || !refcounts)
    fail(Errc::refused, file_.name() + ": its tables were changed while it was written");
  std::uint64_t position = allocator_.end();
  digests_->write({digest_of_header(kind, named, extensions), *mapping, *refcounts},
                  [&](std::span<const std::byte> bytes) {
                    file_.write(position, bytes);
                    position += bytes.size();
                  });
}

}  // namespace e2qcow::qcow2
