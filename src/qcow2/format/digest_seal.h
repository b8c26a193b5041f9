// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/digest.h"
#include "qcow2/format/format.h"

// The digests that an image of ours holds of itself, as doc/format.md describes them. They are past the last
// cluster, where other programs may overwrite them: nothing of them counts before its own digest is right.
namespace e2qcow::qcow2 {

// What the header says about them.
struct DigestPlace {
  DigestKind kind = DigestKind::xxh3;
  std::uint64_t host_offset = 0;  // of the seal
  friend bool operator==(const DigestPlace&, const DigestPlace&) = default;
};
Extension encode_digest_place(const DigestPlace& place);
// Absent if there is none, or one that this version does not know.
std::optional<DigestPlace> decode_digest_place(std::span<const Extension> extensions);

// A digest of a set of clusters with their digests, the same in whatever order they are added.
class SetDigest {
 public:
  explicit SetDigest(DigestKind kind) : kind_(kind) {}
  // `digest`, of digest_size(kind) bytes, is that of the contents of the cluster. Each cluster once.
  void add(std::uint64_t cluster, std::span<const std::byte> digest);
  void add(const SetDigest& other);
  const Digest& digest() const { return digest_; }
  std::uint64_t count() const { return count_; }

 private:
  DigestKind kind_;
  Digest digest_;
  std::uint64_t count_ = 0;
};

// The first part, followed by the table: the runs, and the digests of the clusters in them.
struct DigestSeal {
  DigestKind kind = DigestKind::xxh3;
  std::uint32_t cluster_bits = 0;
  std::uint64_t runs = 0;
  std::uint64_t clusters = 0;  // stored, each of which has a digest
  Digest table{};
  Digest contents{};   // a SetDigest
  Digest header{};     // digest_of_header()
  Digest mapping{};    // digest_of_mapping()
  Digest refcounts{};  // digest_of_refcounts()
  friend bool operator==(const DigestSeal&, const DigestSeal&) = default;

  std::uint64_t table_bytes() const { return runs * kRunBytes + clusters * digest_size(kind); }
  static constexpr std::uint64_t kBytes = 512;
  static constexpr std::uint64_t kRunBytes = 16;  // u64: its first cluster; u64: which of the digests is its
};
std::vector<std::byte> encode_seal(const DigestSeal& seal);  // kBytes
// Absent if the bytes are not a seal as it was written.
std::optional<DigestSeal> decode_seal(std::span<const std::byte> bytes);

// Bytes in the file of a seal with its table, and zeros up to a whole sector.
std::uint64_t digest_area_bytes(DigestKind kind, std::uint64_t runs, std::uint64_t clusters);

// Of the fields that the disk depends on, the record, and what says which base is meant. Neither the
// autoclear bits nor what QEMU adds to a header count.
Digest digest_of_header(DigestKind kind, const Header& header, std::span<const Extension> extensions);

}  // namespace e2qcow::qcow2
