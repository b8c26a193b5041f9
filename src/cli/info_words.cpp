// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/info_words.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <map>

#include "base/printable.h"
#include "cli/sizes.h"
#include "image/finding.h"

namespace e2qcow::cli {
namespace {

constexpr std::size_t kMaxNameBytes = 255;

bool is_known(std::uint8_t finding) {
  return finding_text(static_cast<Finding>(finding)).name != finding_text(Finding{255}).name;
}

}  // namespace

std::string extension_text(const work::Info& info, std::uint32_t type) {
  for (const qcow2::Extension& extension : info.extensions)
    if (extension.type == type)
      return printable({reinterpret_cast<const char*>(extension.data.data()), extension.data.size()});
  return "";
}

const char* encryption_name(const qcow2::Header& header) {
  return header.crypt_method == 1 ? "AES" : header.crypt_method == 2 ? "LUKS" : "unknown";
}

// The image may name bits that we do not know.
std::vector<std::string> feature_names(const work::Info& info) {
  constexpr std::array kKnown{"dirty", "corrupt", "external data file", "compression type", "extended L2"};
  std::vector<std::string> names;
  for (std::uint64_t rest = info.header.incompatible_features; rest != 0; rest &= rest - 1) {
    const auto bit = static_cast<std::uint32_t>(std::countr_zero(rest));
    const std::string name = printable(qcow2::feature_name(info.extensions, bit));
    if (bit < kKnown.size())
      names.emplace_back(kKnown[bit]);
    else
      names.push_back(name.empty() ? fmt::format("bit {}", bit) : fmt::format("bit {} ({})", bit, name));
  }
  return names;
}

std::vector<std::string> extension_names(const work::Info& info) {
  static const std::map<std::uint32_t, const char*> kNames{{qcow2::kBackingFormat, "backing format"},
                                                           {qcow2::kFeatureNames, "feature names"},
                                                           {qcow2::kBitmaps, "bitmaps"},
                                                           {qcow2::kCryptoHeader, "encryption header"},
                                                           {qcow2::kDataFileName, "data file name"},
                                                           {qcow2::kDumpRecord, "dump record"},
                                                           {qcow2::kDigests, "digests"},
                                                           {qcow2::kBase, "base"}};
  std::vector<std::string> names;
  for (const qcow2::Extension& extension : info.extensions) {
    const auto known = kNames.find(extension.type);
    names.push_back(known != kNames.end() ? known->second : fmt::format("{:#010x}", extension.type));
  }
  return names;
}

const char* compression_name(const qcow2::Header& header) {
  return header.compression_type == qcow2::CompressionType::zstd ? "zstd" : "zlib";
}

Whole wholeness(const work::Info& info) {
  using enum Whole::Answer;
  const DumpRecord& record = *info.record;
  if (record.lost_bytes > 0)
    return {no, fmt::format("{} could not be read and are zeros", human_size(record.lost_bytes))};
  if (record.kind == DumpKind::signatures) return {no, "no superblock was found"};
  if (const auto doubt = record.doubt()) return {not_known, std::string(finding_text(*doubt).text)};
  if (info.backing_file && !info.base)
    return {not_known, "it is an overlay, and the record is that of the dump under it"};
  if (info.was_opened_for_writing.value_or(false))
    return {not_known, "another program has opened the image for writing since the dump"};
  if (!record.losses_known) return {not_known, "written to a pipe"};
  if (!info.was_opened_for_writing)
    return {not_known,
            "such an image does not show whether another program has written to it since the dump"};
  return {yes};
}

std::string finding_name(std::uint8_t finding) {
  return is_known(finding) ? std::string(finding_text(static_cast<Finding>(finding)).name)
                           : fmt::format("finding-{}", finding);
}

std::string finding_description(std::uint8_t finding) {
  return is_known(finding) ? std::string(finding_text(static_cast<Finding>(finding)).text)
                           : finding_name(finding);
}

std::string printable_name(const std::string& name) {
  return printable(std::string_view(name).substr(0, kMaxNameBytes)) +
         (name.size() > kMaxNameBytes ? "..." : "");
}

}  // namespace e2qcow::cli
