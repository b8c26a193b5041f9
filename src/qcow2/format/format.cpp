// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kKnownIncompatible =
    kDirty | kCorrupt | kExternalDataFile | kCompressionType | kExtendedL2;
constexpr std::uint32_t kMaxSnapshots = 65536;
constexpr std::uint64_t kMinSnapshotBytes = 40;
constexpr std::uint32_t kMinExtendedBits = 14;  // qcow2 spec: with extended L2 entries
constexpr std::uint32_t kMaxBackingName = 1023;
constexpr std::size_t kMaxExtensions = 64;

[[noreturn]] void fail_as_corrupt(const std::string& name, const std::string& what) {
  fail(Errc::corrupt, fmt::format("{}: damaged qcow2 header: {}", name, what));
}

[[noreturn]] void unsupported(const std::string& name, const std::string& what) {
  fail(Errc::unsupported, fmt::format("{}: {} is not supported", name, what));
}

[[noreturn]] void fail_with(const std::string& name, const TableFault& fault) {
  if (fault.code == Errc::corrupt) fail_as_corrupt(name, fault.text);
  fail(fault.code, fmt::format("{}: {}", name, fault.text));
}

std::optional<TableFault> fault_of_position(const char* table, std::uint64_t offset, std::uint64_t bytes,
                                            const Header& header, std::uint64_t file_size) {
  if (offset % header.geometry().cluster_size() != 0)
    return TableFault{Errc::corrupt, fmt::format("the {} at {} is not aligned to a cluster", table, offset)};
  if (bytes != 0 && offset == 0)
    return TableFault{Errc::corrupt, fmt::format("the {} lies on the header", table)};
  if (offset > file_size || bytes > file_size - offset)
    return TableFault{Errc::truncated,
                      fmt::format("the {} ({} bytes at {}) runs past the end of the file ({} bytes)", table,
                                  bytes, offset, file_size)};
  return std::nullopt;
}

// As far as the disk reaches.
std::optional<TableFault> fault_of_l1(const Header& header, std::uint64_t file_size) {
  const std::uint64_t needed = divide_up(header.size, header.geometry().l2_reach());
  if (header.l1_size * sizeof(std::uint64_t) > kMaxL1Bytes)
    return TableFault{Errc::corrupt, fmt::format("an L1 table of {} entries is too large", header.l1_size)};
  if (header.l1_size < needed)
    return TableFault{Errc::corrupt,
                      fmt::format("an L1 table of {} entries is too small for the disk, which needs {}",
                                  header.l1_size, needed)};
  return fault_of_position("L1 table", header.l1_table_offset, needed * sizeof(std::uint64_t), header,
                           file_size);
}

std::optional<TableFault> fault_of_whole_l1(const Header& header, std::uint64_t file_size) {
  if (auto fault = fault_of_l1(header, file_size)) return fault;
  return fault_of_position("L1 table", header.l1_table_offset, header.l1_size * sizeof(std::uint64_t), header,
                           file_size);
}

std::optional<TableFault> fault_of_refcount_table(const Header& header, std::uint64_t file_size) {
  const std::uint64_t bytes = header.refcount_table_clusters * header.geometry().cluster_size();
  if (bytes == 0) return TableFault{Errc::corrupt, "there is no refcount table"};
  if (bytes > kMaxRefcountTableBytes)
    return TableFault{Errc::corrupt, fmt::format("a refcount table of {} clusters is too large",
                                                 header.refcount_table_clusters)};
  return fault_of_position("refcount table", header.refcount_table_offset, bytes, header, file_size);
}

std::optional<TableFault> fault_of_snapshot_table(const Header& header, std::uint64_t file_size) {
  if (header.snapshot_count > kMaxSnapshots)
    return TableFault{Errc::corrupt,
                      fmt::format("a snapshot table of {} entries is too large", header.snapshot_count)};
  return fault_of_position("snapshot table", header.snapshots_offset,
                           header.snapshot_count * kMinSnapshotBytes, header, file_size);
}

void decode_version3(Header& header, std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kMinHeaderLengthV3)
    fail(Errc::truncated, name + ": it ended early, inside the qcow2 header");
  header.incompatible_features = load_be<std::uint64_t>(bytes, 72);
  header.compatible_features = load_be<std::uint64_t>(bytes, 80);
  header.autoclear_features = load_be<std::uint64_t>(bytes, 88);
  header.refcount_order = load_be<std::uint32_t>(bytes, 96);
  header.header_length = load_be<std::uint32_t>(bytes, 100);
  if (header.refcount_order > 6)
    fail_as_corrupt(name, fmt::format("refcounts of 2^{} bits", header.refcount_order));
  if (header.header_length < kMinHeaderLengthV3 || header.header_length > header.geometry().cluster_size())
    fail_as_corrupt(name, fmt::format("its length is {}", header.header_length));
  std::uint8_t type = 0;
  if (header.header_length > kMinHeaderLengthV3) {
    if (bytes.size() <= kMinHeaderLengthV3)
      fail(Errc::truncated, name + ": it ended early, inside the qcow2 header");
    type = load_be<std::uint8_t>(bytes, 104);
  }
  if (((header.incompatible_features & kCompressionType) != 0) != (type != 0))
    fail_as_corrupt(name, fmt::format("compression type {} contradicts feature bit 3", type));
  if (type > 1) unsupported(name, fmt::format("compression type {}", type));
  header.compression_type = static_cast<CompressionType>(type);
}

void check_features(const Header& header, const std::string& name) {
  const std::uint64_t unknown = header.incompatible_features & ~kKnownIncompatible;
  if (unknown != 0) unsupported(name, fmt::format("incompatible feature bit {}", std::countr_zero(unknown)));
  if ((header.incompatible_features & kExtendedL2) != 0 && header.cluster_bits < kMinExtendedBits)
    fail_as_corrupt(name, fmt::format("subclusters of clusters of 2^{} bytes", header.cluster_bits));
  if (header.crypt_method != 0)
    unsupported(name, fmt::format("encryption (method {}: {})", header.crypt_method,
                                  header.crypt_method == 1   ? "AES"
                                  : header.crypt_method == 2 ? "LUKS"
                                                             : "unknown"));
  if ((header.autoclear_features & kRawExternalData) != 0 && !header.has_data_file())
    fail_as_corrupt(name, "it is marked as having a raw external data file, but has none");
}

void check_disk_size(const Header& header, const std::string& name) {
  if (header.size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    fail_as_corrupt(name, fmt::format("the disk has {} bytes", header.size));
}

void check_backing_file(const Header& header, std::uint64_t file_size, const std::string& name) {
  if (header.backing_file_offset == 0) return;
  const std::uint64_t room = std::min(header.geometry().cluster_size(), file_size);
  if (header.backing_file_size > kMaxBackingName || header.backing_file_offset < header.header_length ||
      header.backing_file_offset > room || header.backing_file_size > room - header.backing_file_offset)
    fail_as_corrupt(name, fmt::format("a backing file name of {} bytes at {}", header.backing_file_size,
                                      header.backing_file_offset));
}

}  // namespace

std::vector<TableFault> faults_of_tables(const Header& header, std::uint64_t file_size) {
  std::vector<TableFault> faults;
  for (const auto find : {fault_of_whole_l1, fault_of_refcount_table, fault_of_snapshot_table})
    if (auto fault = find(header, file_size)) faults.push_back(std::move(*fault));
  return faults;
}

void check_other_tables(const Header& header, std::uint64_t file_size, const std::string& name) {
  const auto faults = faults_of_tables(header, file_size);
  if (!faults.empty()) fail_with(name, faults.front());
}

Header decode_fields(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < 8 || load_be<std::uint32_t>(bytes, 0) != kMagic)
    fail(Errc::not_qcow2, name + ": not a qcow2 image");
  Header header;
  header.version = load_be<std::uint32_t>(bytes, 4);
  if (header.version != 2 && header.version != 3)
    unsupported(name, fmt::format("qcow2 version {}", header.version));
  if (bytes.size() < kHeaderLengthV2)
    fail(Errc::truncated, name + ": it ended early, inside the qcow2 header");
  header.backing_file_offset = load_be<std::uint64_t>(bytes, 8);
  header.backing_file_size = load_be<std::uint32_t>(bytes, 16);
  header.cluster_bits = load_be<std::uint32_t>(bytes, 20);
  if (header.cluster_bits < kMinClusterBits || header.cluster_bits > kMaxClusterBits)
    fail_as_corrupt(name, fmt::format("clusters of 2^{} bytes", header.cluster_bits));
  header.size = load_be<std::uint64_t>(bytes, 24);
  header.crypt_method = load_be<std::uint32_t>(bytes, 32);
  header.l1_size = load_be<std::uint32_t>(bytes, 36);
  header.l1_table_offset = load_be<std::uint64_t>(bytes, 40);
  header.refcount_table_offset = load_be<std::uint64_t>(bytes, 48);
  header.refcount_table_clusters = load_be<std::uint32_t>(bytes, 56);
  header.snapshot_count = load_be<std::uint32_t>(bytes, 60);
  header.snapshots_offset = load_be<std::uint64_t>(bytes, 64);
  header.header_length = kHeaderLengthV2;
  if (header.version == 3) decode_version3(header, bytes, name);
  return header;
}

Header decode_header_without_tables(std::span<const std::byte> bytes, std::uint64_t file_size,
                                    const std::string& name) {
  const Header header = decode_fields(bytes, name);
  check_features(header, name);
  check_disk_size(header, name);
  check_backing_file(header, file_size, name);
  return header;
}

Header decode_header(std::span<const std::byte> bytes, std::uint64_t file_size, const std::string& name) {
  const Header header = decode_header_without_tables(bytes, file_size, name);
  if (const auto fault = fault_of_l1(header, file_size)) fail_with(name, *fault);
  return header;
}

ExtensionList decode_extensions(const Header& header, std::span<const std::byte> first_cluster) {
  ExtensionList list;
  std::size_t end = std::min<std::size_t>(first_cluster.size(), header.geometry().cluster_size());
  if (header.backing_file_offset != 0) end = std::min<std::size_t>(end, header.backing_file_offset);
  std::size_t position = header.header_length;
  while (position < end && end - position >= 8) {
    const auto type = load_be<std::uint32_t>(first_cluster, position);
    const auto length = load_be<std::uint32_t>(first_cluster, position + 4);
    position += 8;
    if (type == kEndOfExtensions) break;
    if (length > end - position)
      list.fault = fmt::format("an extension (type {:#x}) of {} bytes runs past its end", type, length);
    else if (list.extensions.size() == kMaxExtensions)
      list.fault = "too many extensions";
    if (!list.fault.empty()) break;
    const auto data = first_cluster.subspan(position, length);
    list.extensions.push_back({type, {data.begin(), data.end()}});
    position += round_up(length, 8);
  }
  return list;
}

std::string feature_name(std::span<const Extension> extensions, std::uint32_t bit) {
  constexpr std::size_t kEntryBytes = 48;  // qcow2 spec, "Feature name table": type, bit, name
  constexpr std::uint8_t kIncompatible = 0;
  const auto table = std::ranges::find(extensions, kFeatureNames, &Extension::type);
  if (table == extensions.end()) return "";
  for (std::span<const std::byte> rest = table->data; rest.size() >= kEntryBytes;
       rest = rest.subspan(kEntryBytes)) {
    if (load_be<std::uint8_t>(rest, 0) != kIncompatible || load_be<std::uint8_t>(rest, 1) != bit) continue;
    const auto* begin = reinterpret_cast<const char*>(rest.data()) + 2;
    return {begin, ::strnlen(begin, kEntryBytes - 2)};
  }
  return "";
}

std::vector<std::byte> encode_header(const Header& header, std::span<const Extension> extensions) {
  std::vector<std::byte> bytes(header.geometry().cluster_size());
  const std::span out(bytes);
  store_be(out, 0, kMagic);
  store_be(out, 4, header.version);
  store_be(out, 8, header.backing_file_offset);
  store_be(out, 16, header.backing_file_size);
  store_be(out, 20, header.cluster_bits);
  store_be(out, 24, header.size);
  store_be(out, 32, header.crypt_method);
  store_be(out, 36, header.l1_size);
  store_be(out, 40, header.l1_table_offset);
  store_be(out, 48, header.refcount_table_offset);
  store_be(out, 56, header.refcount_table_clusters);
  store_be(out, 60, header.snapshot_count);
  store_be(out, 64, header.snapshots_offset);
  std::size_t position = kHeaderLengthV2;
  if (header.version == 3) {
    store_be(out, 72, header.incompatible_features);
    store_be(out, 80, header.compatible_features);
    store_be(out, 88, header.autoclear_features);
    store_be(out, 96, header.refcount_order);
    store_be(out, 100, header.header_length);
    store_be(out, 104, static_cast<std::uint8_t>(header.compression_type));
    position = header.header_length;
  }
  for (const Extension& extension : extensions) {
    if (8 + round_up(extension.data.size(), 8) > bytes.size() - position)
      fail(Errc::unsupported,
           fmt::format("header extensions do not fit into a cluster of {} bytes", bytes.size()));
    store_be(out, position, extension.type);
    store_be(out, position + 4, static_cast<std::uint32_t>(extension.data.size()));
    std::ranges::copy(extension.data, bytes.begin() + static_cast<std::ptrdiff_t>(position + 8));
    position += 8 + round_up(extension.data.size(), 8);
  }
  return bytes;  // the end mark is zeros
}

}  // namespace e2qcow::qcow2
