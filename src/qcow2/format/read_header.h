// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/signatures.h"
#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// The first bytes of a file, or all of them if it is shorter.
inline std::vector<std::byte> read_front(const ReadableFile& file, std::uint64_t length) {
  std::vector<std::byte> bytes(std::min(file.size(), length));
  bytes.resize(file.read_up_to(0, bytes));
  return bytes;
}

inline bool has_magic(const ReadableFile& file) {
  const auto front = read_front(file, sizeof kMagic);
  return front.size() == sizeof kMagic && load_be<std::uint32_t>(front, 0) == kMagic;
}

// An image of version 1, which has the same magic, is another format.
inline bool is_version_1(const ReadableFile& file) {
  const auto front = read_front(file, sizeof kMagic + sizeof(std::uint32_t));
  return has_magic(file) && front.size() == sizeof kMagic + sizeof(std::uint32_t) &&
         load_be<std::uint32_t>(front, sizeof kMagic) == 1;
}

// Says what the file is if it is something else.
inline void refuse_other_contents(const ReadableFile& file) {
  if (has_magic(file) && !is_version_1(file)) return;
  const std::string contents = describe_contents(file);
  fail(Errc::not_qcow2, file.name() + ": not a qcow2 image" + (contents.empty() ? "" : "; " + contents));
}

inline Header read_header(const ReadableFile& file) {
  refuse_other_contents(file);
  return decode_header(read_front(file, kHeaderLengthV3), file.size(), file.name());
}

inline Header read_header_without_tables(const ReadableFile& file) {
  refuse_other_contents(file);
  return decode_header_without_tables(read_front(file, kHeaderLengthV3), file.size(), file.name());
}

inline ExtensionList read_extensions(const ReadableFile& file, const Header& header) {
  return decode_extensions(header, read_front(file, header.geometry().cluster_size()));
}

// As the image has it; nothing opens it.
inline std::optional<std::string> read_backing_file_name(const ReadableFile& file, const Header& header) {
  if (header.backing_file_offset == 0 || header.backing_file_size == 0) return std::nullopt;
  const auto front = read_front(file, header.backing_file_offset + header.backing_file_size);
  // The size of a pipe was not known when the header was decoded.
  if (header.backing_file_offset + header.backing_file_size > front.size())
    fail(Errc::truncated, file.name() + ": it ended early, before the name of its backing file");
  return std::string(reinterpret_cast<const char*>(front.data()) + header.backing_file_offset,
                     header.backing_file_size);
}

// Checks that decode_header() cannot make.
inline void refuse_encryption(const std::vector<Extension>& extensions, const std::string& name) {
  if (std::ranges::find(extensions, kCryptoHeader, &Extension::type) != extensions.end())
    fail(Errc::unsupported, name + ": encryption (a LUKS header) is not supported");
}

}  // namespace e2qcow::qcow2
