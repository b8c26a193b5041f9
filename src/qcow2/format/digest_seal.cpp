// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/digest_seal.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kMagicOfSeal = 0x6532716364696773;  // "e2qcdigs"
constexpr std::size_t kPlaceBytes = 8;
constexpr std::uint32_t kOffsetBits = 56;  // of a place; the algorithm is above

// Where fields of the seal are.
constexpr std::size_t kKindField = 8;
constexpr std::size_t kClusterBitsField = 12;
constexpr std::size_t kRunsField = 16;
constexpr std::size_t kClustersField = 24;
constexpr std::size_t kDigestsField = 32;
constexpr std::size_t kOwnDigestField = DigestSeal::kBytes - sizeof(Digest);

template <typename Seal>
auto digests_in(Seal& seal) {
  return std::array{&seal.table, &seal.contents, &seal.header, &seal.mapping, &seal.refcounts};
}

std::span<const std::byte> sealed(std::span<const std::byte> bytes) {
  return bytes.first(kOwnDigestField);
}

}  // namespace

Extension encode_digest_place(const DigestPlace& place) {
  Extension extension{kDigests, std::vector<std::byte>(kPlaceBytes)};
  store_be(std::span(extension.data), 0,
           std::uint64_t{static_cast<std::uint8_t>(place.kind)} << kOffsetBits | place.host_offset);
  return extension;
}

std::optional<DigestPlace> decode_digest_place(std::span<const Extension> extensions) {
  const auto found = std::ranges::find(extensions, kDigests, &Extension::type);
  if (found == extensions.end() || found->data.size() != kPlaceBytes) return std::nullopt;
  const auto value = load_be<std::uint64_t>(found->data, 0);
  const auto kind = digest_kind(value >> kOffsetBits);
  if (!kind) return std::nullopt;
  return DigestPlace{*kind, value & ((std::uint64_t{1} << kOffsetBits) - 1)};
}

void SetDigest::add(std::uint64_t cluster, std::span<const std::byte> digest) {
  std::array<std::byte, sizeof cluster + sizeof(Digest)> element{};
  store_be(std::span(element), 0, cluster);
  std::ranges::copy(digest, element.begin() + sizeof cluster);
  SetDigest one(kind_);
  one.digest_ = digest_of(kind_, std::span(element).first(sizeof cluster + digest.size()));
  one.count_ = 1;
  add(one);
}

// An exclusive or: no element is there twice.
void SetDigest::add(const SetDigest& other) {
  for (std::size_t i = 0; i < digest_.bytes.size(); ++i) digest_.bytes[i] ^= other.digest_.bytes[i];
  count_ += other.count_;
}

std::vector<std::byte> encode_seal(const DigestSeal& seal) {
  std::vector<std::byte> bytes(DigestSeal::kBytes);
  const std::span out(bytes);
  store_be(out, 0, kMagicOfSeal);
  store_be(out, kKindField, static_cast<std::uint32_t>(seal.kind));
  store_be(out, kClusterBitsField, seal.cluster_bits);
  store_be(out, kRunsField, seal.runs);
  store_be(out, kClustersField, seal.clusters);
  std::size_t position = kDigestsField;
  for (const Digest* digest : digests_in(seal)) {
    std::ranges::copy(digest->bytes, out.subspan(position).begin());
    position += sizeof(Digest);
  }
  std::ranges::copy(digest_of(seal.kind, sealed(out)).bytes, out.subspan(kOwnDigestField).begin());
  return bytes;
}

std::optional<DigestSeal> decode_seal(std::span<const std::byte> bytes) {
  if (bytes.size() < DigestSeal::kBytes || load_be<std::uint64_t>(bytes, 0) != kMagicOfSeal)
    return std::nullopt;
  const auto kind = digest_kind(load_be<std::uint32_t>(bytes, kKindField));
  if (!kind || std::memcmp(digest_of(*kind, sealed(bytes)).bytes.data(), bytes.data() + kOwnDigestField,
                           sizeof(Digest)) != 0)
    return std::nullopt;
  DigestSeal seal{.kind = *kind,
                  .cluster_bits = load_be<std::uint32_t>(bytes, kClusterBitsField),
                  .runs = load_be<std::uint64_t>(bytes, kRunsField),
                  .clusters = load_be<std::uint64_t>(bytes, kClustersField)};
  std::size_t position = kDigestsField;
  for (Digest* digest : digests_in(seal)) {
    std::ranges::copy(bytes.subspan(position, sizeof(Digest)), digest->bytes.begin());
    position += sizeof(Digest);
  }
  return seal;
}

std::uint64_t digest_area_bytes(DigestKind kind, std::uint64_t runs, std::uint64_t clusters) {
  const DigestSeal seal{.kind = kind, .runs = runs, .clusters = clusters};
  return DigestSeal::kBytes + round_up(seal.table_bytes(), kSectorSize);
}

Digest digest_of_header(DigestKind kind, const Header& header, std::span<const Extension> extensions) {
  Header fields = header;
  // QEMU moves the name; whether there is one is what counts.
  fields.backing_file_size = header.backing_file_offset != 0 && header.backing_file_size != 0 ? 1 : 0;
  fields.backing_file_offset = 0;
  fields.autoclear_features = 0;
  fields.header_length = kHeaderLengthV3;
  Hasher hasher(kind);
  hasher.add(std::span<const std::byte>(encode_header(fields, {})).first(kHeaderLengthV3));
  for (const std::uint32_t type : {kDumpRecord, kBase}) {
    const auto ours = std::ranges::find(extensions, type, &Extension::type);
    if (ours != extensions.end()) hasher.add(ours->data);
  }
  return hasher.finish();
}

}  // namespace e2qcow::qcow2
