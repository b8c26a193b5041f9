// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/record_extension.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

enum Tag : std::uint16_t {
  kKind = 1,             // u8: DumpKind
  kVersion = 2,          // text
  kUuid = 3,             // 16 bytes
  kBlockSize = 4,        // u32
  kClass = 5,            // u8 class, u64 bytes; repeated; of version 0.1
  kLosses = 6,           // u64 bytes; absent: not known
  kInconsistencies = 7,  // u64
  kFindings = 8,         // {u8 kind, u32 count (all ones: as many or more)}, repeated
  kClasses = 9,          // {u8 class, u64 bytes}, repeated
  kEnd = 10,             // u64 bytes; absent: the disk has nothing after the file system
  kImageVersion = 11,    // u8
  kAnonymized = 12,      // 8 bytes, a fingerprint of the key, u8 1 if strictly; absent: not anonymised
  kCapture = 13,         // u8: CaptureState; absent: at rest
  kPair = 14             // 16 bytes; absent: it was made alone
};

constexpr std::size_t kMaxVersion = 31;
constexpr std::size_t kMaxFindings = 12;  // kinds
constexpr std::size_t kFindingBytes = 5;
constexpr std::size_t kClassBytes = 9;
constexpr std::size_t kFingerprint = 8;
constexpr std::byte kStrictly{1};

class FieldWriter {
 public:
  explicit FieldWriter(std::vector<std::byte>& out) : out_(out) {}

  template <typename... Values>
  void field(Tag tag, Values... values) {
    begin(tag, (sizeof(Values) + ...));
    (number(values), ...);
  }
  void bytes(Tag tag, std::span<const std::byte> bytes) {
    begin(tag, bytes.size());
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

 private:
  void begin(Tag tag, std::size_t length) {
    number(static_cast<std::uint16_t>(tag));
    number(static_cast<std::uint16_t>(length));
  }
  template <typename T>
  void number(T value) {
    out_.resize(out_.size() + sizeof value);
    store_be(std::span(out_), out_.size() - sizeof value, value);
  }

  std::vector<std::byte>& out_;
};

std::vector<std::byte> encode_findings(const DumpRecord& record) {
  std::vector<std::byte> bytes;
  for (const auto& [finding, count] : record.findings) {
    const std::uint64_t all_ones = std::numeric_limits<std::uint32_t>::max();
    if (bytes.size() == kMaxFindings * kFindingBytes) break;
    bytes.resize(bytes.size() + kFindingBytes);
    const auto entry = std::span(bytes).last(kFindingBytes);
    store_be(entry, 0, finding);
    store_be(entry, 1, static_cast<std::uint32_t>(std::min(count, all_ones)));
  }
  return bytes;
}

std::vector<std::byte> encode_classes(const DumpRecord& record) {
  std::vector<std::byte> bytes(record.classes.size() * kClassBytes);
  std::span<std::byte> rest = bytes;
  for (const auto& [block_class, selected] : record.classes) {
    store_be(rest, 0, block_class);
    store_be(rest, 1, selected);
    rest = rest.subspan(kClassBytes);
  }
  return bytes;
}

std::vector<std::byte> encode_anonymity(const DumpRecord& record) {
  const auto fingerprint = std::as_bytes(std::span(*record.anonymized_with));
  std::vector<std::byte> bytes(fingerprint.begin(), fingerprint.end());
  if (record.is_strictly_anonymized) bytes.push_back(kStrictly);
  return bytes;
}

void decode_field(DumpRecord& record, std::uint16_t tag, std::span<const std::byte> data) {
  if (tag == kKind && data.size() == 1) record.kind = static_cast<DumpKind>(data[0]);
  if (tag == kVersion) record.program_version.assign(reinterpret_cast<const char*>(data.data()), data.size());
  if (tag == kUuid && data.size() == 16) std::memcpy(record.filesystem_uuid.data(), data.data(), 16);
  if (tag == kBlockSize && data.size() == 4) record.block_size = load_be<std::uint32_t>(data, 0);
  if (tag == kEnd && data.size() == 8) record.end = load_be<std::uint64_t>(data, 0);
  if (tag == kImageVersion && data.size() == 1) record.image_version = load_be<std::uint8_t>(data, 0);
  if (tag == kAnonymized && (data.size() == kFingerprint || data.size() == kFingerprint + 1)) {
    std::memcpy(record.anonymized_with.emplace().data(), data.data(), kFingerprint);
    record.is_strictly_anonymized = data.size() > kFingerprint && data[kFingerprint] == kStrictly;
  }
  if (tag == kCapture && data.size() == 1) record.capture = static_cast<CaptureState>(data[0]);
  if (tag == kPair && data.size() == sizeof(DumpRecord::Pair))
    std::memcpy(record.pair.emplace().data(), data.data(), data.size());
  const bool has_classes = tag == kClasses || (tag == kClass && data.size() == kClassBytes);
  for (; has_classes && data.size() >= kClassBytes; data = data.subspan(kClassBytes))
    record.classes.push_back({load_be<std::uint8_t>(data, 0), load_be<std::uint64_t>(data, 1)});
  for (; tag == kFindings && data.size() >= kFindingBytes; data = data.subspan(kFindingBytes))
    record.findings.push_back({load_be<std::uint8_t>(data, 0), load_be<std::uint32_t>(data, 1)});
  if (tag == kInconsistencies && data.size() == 8) record.inconsistencies = load_be<std::uint64_t>(data, 0);
  if (tag == kLosses && data.size() == 8) {
    record.lost_bytes = load_be<std::uint64_t>(data, 0);
    record.losses_known = true;
  }
}

}  // namespace

Extension encode_record(const DumpRecord& record) {
  Extension extension{kDumpRecord, {}};
  const std::size_t version_length = std::min(record.program_version.size(), kMaxVersion);
  FieldWriter out(extension.data);
  out.field(kKind, static_cast<std::uint8_t>(record.kind));
  out.bytes(kVersion, std::as_bytes(std::span(record.program_version)).first(version_length));
  out.bytes(kUuid, std::as_bytes(std::span(record.filesystem_uuid)));
  out.field(kBlockSize, record.block_size);
  out.bytes(kClasses, encode_classes(record));
  out.field(kInconsistencies, record.inconsistencies);
  if (!record.findings.empty()) out.bytes(kFindings, encode_findings(record));
  if (record.end) out.field(kEnd, *record.end);
  if (record.image_version != 0) out.field(kImageVersion, record.image_version);
  if (record.anonymized_with) out.bytes(kAnonymized, encode_anonymity(record));
  if (record.capture != CaptureState::at_rest) out.field(kCapture, static_cast<std::uint8_t>(record.capture));
  if (record.pair) out.bytes(kPair, std::as_bytes(std::span(*record.pair)));
  // Last: a record that was cut says nothing about losses, and so is not taken for complete.
  if (record.losses_known) out.field(kLosses, record.lost_bytes);
  return extension;
}

std::optional<DumpRecord> decode_record(std::span<const Extension> extensions) {
  const auto found = std::ranges::find(extensions, kDumpRecord, &Extension::type);
  if (found == extensions.end()) return std::nullopt;
  DumpRecord record;
  record.losses_known = false;
  std::span<const std::byte> rest = found->data;
  while (rest.size() >= 4) {
    const auto tag = load_be<std::uint16_t>(rest, 0);
    const auto length = load_be<std::uint16_t>(rest, 2);
    rest = rest.subspan(4);
    if (length > rest.size()) return std::nullopt;
    decode_field(record, tag, rest.first(length));
    rest = rest.subspan(length);
  }
  if (!rest.empty()) return std::nullopt;
  if (record.kind > DumpKind::signatures) return std::nullopt;
  return record;
}

}  // namespace e2qcow::qcow2
