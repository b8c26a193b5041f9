// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

// The on-disk format. Source: QEMU's docs/interop/qcow2.txt (cited as "qcow2 spec"). Everything is
// big-endian.

#include <e2qcow/error.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace e2qcow::qcow2 {

constexpr std::uint32_t kMagic = 0x514649fb;  // "QFI\xfb"
constexpr std::uint32_t kMinClusterBits = 9;
constexpr std::uint32_t kMaxClusterBits = 21;
constexpr std::uint64_t kMaxL1Bytes = 32 << 20;            // QEMU's limit
constexpr std::uint64_t kMaxRefcountTableBytes = 8 << 20;  // QEMU's limit
constexpr std::uint64_t kMaxHostOffset = 1ULL << 56;
constexpr std::uint32_t kRefcountOrder = 4;  // of the images we write: 16 bits
constexpr std::uint32_t kSectorSize = 512;

// The quantities that follow from the cluster size and the width of refcounts.
struct Geometry {
  std::uint32_t cluster_bits = 16;
  std::uint32_t refcount_order = kRefcountOrder;
  bool extended_l2 = false;  // entries of 16 bytes, with a bitmap for 32 subclusters

  constexpr std::uint64_t cluster_size() const { return 1ULL << cluster_bits; }
  constexpr std::uint64_t l2_entry_bytes() const { return extended_l2 ? 16 : 8; }
  constexpr std::uint64_t l2_entries() const { return cluster_size() / l2_entry_bytes(); }
  // The unit that can be allocated or zero: a cluster, or a subcluster.
  constexpr std::uint64_t subcluster_size() const {
    return extended_l2 ? cluster_size() / 32 : cluster_size();
  }
  // Guest bytes one L2 table maps.
  constexpr std::uint64_t l2_reach() const { return cluster_size() * l2_entries(); }
  // Host clusters one refcount block counts.
  constexpr std::uint64_t refcount_block_entries() const { return (cluster_size() * 8) >> refcount_order; }
  constexpr std::uint64_t max_disk_size() const { return kMaxL1Bytes / sizeof(std::uint64_t) * l2_reach(); }
};

enum class CompressionType : std::uint8_t { zlib = 0, zstd = 1 };

enum IncompatibleFeature : std::uint64_t {
  kDirty = 1 << 0,
  kCorrupt = 1 << 1,
  kExternalDataFile = 1 << 2,
  kCompressionType = 1 << 3,
  kExtendedL2 = 1 << 4,
};

enum AutoclearFeature : std::uint64_t {
  kBitmapsAreConsistent = 1 << 0,
  kUnchangedDump = 1ULL << 63,  // ours: no other program has opened the image for writing since it was dumped
  kRawExternalData = 1 << 1,
};

struct Header {
  std::uint32_t version = 3;
  std::uint32_t cluster_bits = 16;
  std::uint64_t size = 0;  // of the virtual disk, bytes
  std::uint64_t backing_file_offset = 0;
  std::uint32_t backing_file_size = 0;
  std::uint32_t crypt_method = 0;
  std::uint32_t l1_size = 0;  // entries
  std::uint64_t l1_table_offset = 0;
  std::uint64_t refcount_table_offset = 0;
  std::uint32_t refcount_table_clusters = 0;
  std::uint32_t snapshot_count = 0;
  std::uint64_t snapshots_offset = 0;
  std::uint64_t incompatible_features = 0;
  std::uint64_t compatible_features = 0;
  std::uint64_t autoclear_features = 0;
  std::uint32_t refcount_order = kRefcountOrder;
  std::uint32_t header_length = 112;
  CompressionType compression_type = CompressionType::zlib;

  // The data is in another file; only tables are in this one.
  constexpr bool has_data_file() const { return (incompatible_features & kExternalDataFile) != 0; }
  constexpr Geometry geometry() const {
    return {cluster_bits, refcount_order, (incompatible_features & kExtendedL2) != 0};
  }
};

constexpr std::size_t kHeaderLengthV2 = 72;
constexpr std::size_t kMinHeaderLengthV3 = 104;
constexpr std::size_t kHeaderLengthV3 = 112;

// The fields, each checked for itself, but not sizes, offsets and features. For describing an image that
// cannot be read. Throws as decode_header() does.
Header decode_fields(std::span<const std::byte> bytes, const std::string& name);

// The fields, checked so that all code after this may trust those that the disk depends on: its size, its L1
// table, the name of the backing file and the features. Everything else is for check_other_tables(). `bytes`
// are the file's first bytes, at least min(file_size, kHeaderLengthV3). Throws Errc::not_qcow2, corrupt,
// truncated or unsupported; `name` begins the text.
Header decode_header(std::span<const std::byte> bytes, std::uint64_t file_size, const std::string& name);

// The same without the L1 table. For a check, which reports faults_of_tables().
Header decode_header_without_tables(std::span<const std::byte> bytes, std::uint64_t file_size,
                                    const std::string& name);

// A table that cannot be where the header has it: it is not aligned, on the header, past the end of the file,
// too small for the disk, or past QEMU's limits.
struct TableFault {
  Errc code;  // corrupt or truncated
  std::string text;
};
// Of the L1 table, the refcount table and the snapshot table; at most one each.
std::vector<TableFault> faults_of_tables(const Header& header, std::uint64_t file_size);
// Checks what the disk does not depend on: the rest of the L1 table, the refcount table and the snapshot
// table. Throws Errc::corrupt or truncated.
void check_other_tables(const Header& header, std::uint64_t file_size, const std::string& name);

// A header extension: a type and its bytes, without the padding.
struct Extension {
  std::uint32_t type = 0;
  std::vector<std::byte> data;
};

enum ExtensionType : std::uint32_t {
  kEndOfExtensions = 0,
  kBackingFormat = 0xe2792aca,
  kFeatureNames = 0x6803f857,
  kBitmaps = 0x23852875,
  kCryptoHeader = 0x0537be77,
  kDataFileName = 0x44415441,
  kDumpRecord = 0x65327163,  // "e2qc", ours
  kDigests = 0x65327164,     // "e2qd", ours
  kBase = 0x65327162,        // "e2qb", ours
};

// The name that an image gives to a feature bit; the caller must escape it before printing.
std::string feature_name(std::span<const Extension> extensions, std::uint32_t bit);

// The extensions before the first one that is not valid.
struct ExtensionList {
  std::vector<Extension> extensions;
  std::string fault;  // of that one; empty: all are valid
};
// `first_cluster` is the whole first cluster, or the whole file if that is shorter.
ExtensionList decode_extensions(const Header& header, std::span<const std::byte> first_cluster);

// The file's first cluster: header, extensions, zeros. Fields that version 2 does not have must have their
// default values in a version 2 header. Throws Errc::unsupported if the extensions do not fit.
std::vector<std::byte> encode_header(const Header& header, std::span<const Extension> extensions);

// qcow2 spec, "Refcount table entry"
class RefcountTableEntry {
 public:
  explicit constexpr RefcountTableEntry(std::uint64_t raw) : raw_(raw) {}

  constexpr std::uint64_t host_offset() const { return raw_ & kOffsetMask; }
  constexpr bool has_reserved_bits() const { return (raw_ & ~kOffsetMask) != 0; }

 private:
  static constexpr std::uint64_t kOffsetMask = 0xffff'ffff'ffff'fe00;
  std::uint64_t raw_;
};

class L1Entry {
 public:
  explicit constexpr L1Entry(std::uint64_t raw) : raw_(raw) {}
  static constexpr L1Entry to_table(std::uint64_t host_offset) { return L1Entry(host_offset | kCopied); }

  constexpr std::uint64_t raw() const { return raw_; }
  constexpr std::uint64_t host_offset() const { return raw_ & kOffsetMask; }
  constexpr bool copied() const { return (raw_ & kCopied) != 0; }
  constexpr bool has_reserved_bits() const { return (raw_ & ~(kOffsetMask | kCopied)) != 0; }

 private:
  static constexpr std::uint64_t kOffsetMask = 0x00ff'ffff'ffff'fe00;
  static constexpr std::uint64_t kCopied = 1ULL << 63;
  std::uint64_t raw_;
};

class L2Entry {
 public:
  explicit constexpr L2Entry(std::uint64_t raw) : raw_(raw) {}
  static constexpr L2Entry to_cluster(std::uint64_t host_offset) { return L2Entry(host_offset | kCopied); }
  // A zero cluster of version 3. The entry keeps the cluster at `host_offset`, if that is not 0.
  static constexpr L2Entry to_zeros(std::uint64_t host_offset) {
    return L2Entry(kZero | host_offset | (host_offset == 0 ? 0 : kCopied));
  }
  // `host_offset` need not be aligned; `length` is that of the compressed data.
  static constexpr L2Entry to_compressed(std::uint64_t host_offset, std::uint64_t length, Geometry geometry) {
    const std::uint64_t sectors = (host_offset + length - 1) / kSectorSize - host_offset / kSectorSize;
    return L2Entry(kCompressed | (sectors << offset_bits(geometry)) | host_offset);
  }

  constexpr std::uint64_t raw() const { return raw_; }
  constexpr bool compressed() const { return (raw_ & kCompressed) != 0; }
  constexpr bool copied() const { return (raw_ & kCopied) != 0; }
  constexpr bool reads_as_zeros() const { return (raw_ & kZero) != 0; }  // version 3, not compressed
  constexpr std::uint64_t host_offset() const { return raw_ & kOffsetMask; }
  constexpr bool has_reserved_bits(Geometry geometry) const {
    const std::uint64_t zero = geometry.extended_l2 ? 0 : kZero;
    return !compressed() && (raw_ & ~(kOffsetMask | kCopied | zero)) != 0;
  }

  constexpr std::uint64_t compressed_offset(Geometry geometry) const {
    return raw_ & ((1ULL << offset_bits(geometry)) - 1);
  }
  // The bytes from compressed_offset() to the end of the last sector; the data may end before that.
  constexpr std::uint64_t compressed_length(Geometry geometry) const {
    const std::uint64_t sectors = (raw_ & ~(kCompressed | kCopied)) >> offset_bits(geometry);
    return (sectors + 1) * kSectorSize - compressed_offset(geometry) % kSectorSize;
  }

 private:
  static constexpr std::uint64_t kOffsetMask = 0x00ff'ffff'ffff'fe00;
  static constexpr std::uint64_t kZero = 1ULL << 0;
  static constexpr std::uint64_t kCompressed = 1ULL << 62;
  static constexpr std::uint64_t kCopied = 1ULL << 63;
  // qcow2 spec, "Compressed Clusters Descriptor": x = 62 - (cluster_bits - 8)
  static constexpr std::uint32_t offset_bits(Geometry geometry) { return 62 - (geometry.cluster_bits - 8); }
  std::uint64_t raw_;
};

// The second word of an extended L2 entry. qcow2 spec, "Extended L2 Entries": bit i, subcluster i is
// allocated; bit 32 + i, it reads as zeros; not both.
class Subclusters {
 public:
  explicit constexpr Subclusters(std::uint64_t raw) : raw_(raw) {}

  constexpr std::uint64_t raw() const { return raw_; }
  constexpr bool allocated(std::uint64_t index) const { return ((raw_ >> index) & 1) != 0; }
  constexpr bool zeros(std::uint64_t index) const { return ((raw_ >> (32 + index)) & 1) != 0; }
  constexpr bool any_allocated() const { return static_cast<std::uint32_t>(raw_) != 0; }
  constexpr bool contradicts_itself() const { return (raw_ & (raw_ >> 32) & 0xffff'ffff) != 0; }
  // How many subclusters there are up to the last that is allocated.
  constexpr std::uint64_t allocated_end() const {
    return 32U - static_cast<std::uint32_t>(std::countl_zero(static_cast<std::uint32_t>(raw_)));
  }

 private:
  std::uint64_t raw_;
};

}  // namespace e2qcow::qcow2
