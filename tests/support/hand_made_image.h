// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "tests/support/bytes.h"

namespace e2qcow {

// Where the fields of a qcow2 header are, and how wide. Source: qcow2 spec, "Header"
struct HeaderField {
  std::uint64_t offset;
  int width;
};
namespace field {
constexpr HeaderField kMagic{0, 4};
constexpr HeaderField kVersion{4, 4};
constexpr HeaderField kBackingOffset{8, 8};
constexpr HeaderField kBackingSize{16, 4};
constexpr HeaderField kClusterBits{20, 4};
constexpr HeaderField kDiskSize{24, 8};
constexpr HeaderField kCryptMethod{32, 4};
constexpr HeaderField kL1Size{36, 4};
constexpr HeaderField kL1Offset{40, 8};
constexpr HeaderField kRefcountTableOffset{48, 8};
constexpr HeaderField kRefcountTableClusters{56, 4};
constexpr HeaderField kSnapshotCount{60, 4};
constexpr HeaderField kSnapshotsOffset{64, 8};
constexpr HeaderField kIncompatible{72, 8};
constexpr HeaderField kCompatible{80, 8};
constexpr HeaderField kAutoclear{88, 8};
constexpr HeaderField kRefcountOrder{96, 4};
constexpr HeaderField kHeaderLength{100, 4};
constexpr HeaderField kCompressionType{104, 1};
}  // namespace field

inline void set_field(Bytes& image, HeaderField field, std::uint64_t value) {
  set_be(image, field.offset, value, field.width);
}

// A small qcow2 image as the specification has it, made without any code of ours: a disk of 64 KiB in
// clusters of 512 bytes; an L2 table of 64 entries maps 32 KiB. The host clusters are
//   0 header, 1 L1, 2 refcount table, 3 refcount block, 4 L2 of the first half, 5 and on data
struct HandMadeImage {
  static constexpr std::uint64_t kCluster = 512;
  static constexpr std::uint64_t kDiskSize = 64 * 1024;
  static constexpr std::uint64_t kL1 = 1 * kCluster;
  static constexpr std::uint64_t kRefcountTable = 2 * kCluster;
  static constexpr std::uint64_t kRefcountBlock = 3 * kCluster;
  static constexpr std::uint64_t kL2 = 4 * kCluster;
  static constexpr std::uint64_t kData = 5 * kCluster;
  static constexpr std::uint64_t kCopied = 1ULL << 63;
  static constexpr std::uint64_t kCompressed = 1ULL << 62;

  explicit HandMadeImage(std::uint64_t version = 3) : bytes(kData) {
    set_field(bytes, field::kMagic, 0x514649fb);
    set_field(bytes, field::kVersion, version);
    set_field(bytes, field::kClusterBits, 9);
    set_field(bytes, field::kDiskSize, kDiskSize);
    set_field(bytes, field::kL1Size, 2);
    set_field(bytes, field::kL1Offset, kL1);
    set_field(bytes, field::kRefcountTableOffset, kRefcountTable);
    set_field(bytes, field::kRefcountTableClusters, 1);
    if (version == 3) {
      set_field(bytes, field::kRefcountOrder, 4);
      set_field(bytes, field::kHeaderLength, 112);
    }
    set_l1_entry(0, kL2 | kCopied);
    set_be(bytes, kRefcountTable, kRefcountBlock, 8);
    for (std::uint64_t cluster = 0; cluster < 5; ++cluster) set_refcount(cluster, 1);
  }

  void set_l1_entry(std::uint64_t index, std::uint64_t value) { set_be(bytes, kL1 + index * 8, value, 8); }
  void set_l2_entry(std::uint64_t index, std::uint64_t value) { set_be(bytes, kL2 + index * 8, value, 8); }
  void set_refcount(std::uint64_t cluster, std::uint64_t value) {
    set_be(bytes, kRefcountBlock + cluster * 2, value, 2);
  }

  // Stores a cluster of the disk at the end of the file.
  void add_data(std::uint64_t guest_cluster, int value) {
    const std::uint64_t host_offset = bytes.size();
    const Bytes cluster = filled(kCluster, value);
    bytes.insert(bytes.end(), cluster.begin(), cluster.end());
    set_l2_entry(guest_cluster, host_offset | kCopied);
    set_refcount(host_offset / kCluster, 1);
  }

  Bytes bytes;
};

inline constexpr std::uint64_t kCluster = HandMadeImage::kCluster;
inline constexpr std::uint64_t kCopied = HandMadeImage::kCopied;

}  // namespace e2qcow
