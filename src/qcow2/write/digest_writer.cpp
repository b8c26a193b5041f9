// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/digest_writer.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

void put_buffer(const PipeBuffer& buffer, const DigestWriter::Put& put) {
  constexpr std::uint64_t kPieceBytes = 1 << 20;
  std::vector<std::byte> piece;
  for (std::uint64_t position = 0; position < buffer.size(); position += piece.size()) {
    piece.resize(std::min(kPieceBytes, buffer.size() - position));
    buffer.read(position, piece);
    put(piece);
  }
}

}  // namespace

DigestWriter::DigestWriter(DigestKind kind, Geometry geometry)
    : kind_(kind), geometry_(geometry), contents_(kind) {}

void DigestWriter::digest(std::span<const std::byte> contents, std::vector<std::byte>& digests) const {
  for (; !contents.empty(); contents = contents.subspan(geometry_.cluster_size())) {
    const Digest digest = digest_of(kind_, contents.first(geometry_.cluster_size()));
    digests.insert(digests.end(), digest.bytes.begin(),
                   digest.bytes.begin() + static_cast<std::ptrdiff_t>(digest_size(kind_)));
  }
}

void DigestWriter::append(std::uint64_t first_cluster, std::span<const std::byte> digests) {
  if (digests.empty()) return;
  const std::size_t size = digest_size(kind_);
  if (first_cluster != next_cluster_) {
    std::array<std::byte, DigestSeal::kRunBytes> run{};
    store_be(std::span(run), 0, first_cluster);
    store_be(std::span(run), sizeof(std::uint64_t), clusters());
    runs_.append(run);
  }
  next_cluster_ = first_cluster + digests.size() / size;
  digests_.append(digests);
  for (std::uint64_t cluster = first_cluster; cluster < next_cluster_; ++cluster)
    contents_.add(cluster, digests.subspan((cluster - first_cluster) * size, size));
}

std::span<const std::byte> DigestWriter::append(const Batch::Piece& piece,
                                                std::span<const std::byte> digests) {
  if (piece.zeros != 0) return digests;
  const std::uint64_t count = piece.compressed ? 1 : piece.stored.size() >> geometry_.cluster_bits;
  const std::size_t bytes = count * digest_size(kind_);
  append(piece.guest_offset >> geometry_.cluster_bits, digests.first(bytes));
  return digests.subspan(bytes);
}

std::uint64_t DigestWriter::area_bytes() const {
  return digest_area_bytes(kind_, runs_.size() / DigestSeal::kRunBytes, clusters());
}

void DigestWriter::put_table(const Put& put) const {
  put_buffer(runs_, put);
  put_buffer(digests_, put);
}

void DigestWriter::write(const Others& others, const Put& put) const {
  Hasher table(kind_);
  put_table([&](std::span<const std::byte> bytes) { table.add(bytes); });
  const DigestSeal seal{.kind = kind_,
                        .cluster_bits = geometry_.cluster_bits,
                        .runs = runs_.size() / DigestSeal::kRunBytes,
                        .clusters = clusters(),
                        .table = table.finish(),
                        .contents = contents_.digest(),
                        .header = others.header,
                        .mapping = others.mapping,
                        .refcounts = others.refcounts};
  put(encode_seal(seal));
  put_table(put);
  put(std::vector<std::byte>(area_bytes() - DigestSeal::kBytes - seal.table_bytes()));
}

}  // namespace e2qcow::qcow2
