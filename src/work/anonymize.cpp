// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/anonymize.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "base/file/text_file.h"
#include "base/printable.h"

namespace e2qcow::work {
namespace {

const ext2::Filesystem& filesystem_of(const Device& device) {
  if (device.filesystem() == nullptr)
    fail(Errc::not_ext2, device.name() + ": without a file system, nothing is known of what is private");
  return *device.filesystem();
}

std::string as_text(const ext2::Secret& secret) {
  std::string text;
  for (const std::uint8_t byte : secret.bytes()) text += fmt::format("{:02x}", byte);
  return text + "\n";
}

ext2::Secret parse_key(const std::string& text, const std::string& path) {
  ext2::Secret::Bytes bytes{};
  bool is_valid = text.size() == 2 * bytes.size() + 1 && text.back() == '\n';
  for (std::size_t i = 0; is_valid && i < bytes.size(); ++i) {
    const char* digits = text.data() + 2 * i;
    is_valid = std::from_chars(digits, digits + 2, bytes[i], 16).ptr == digits + 2;
  }
  if (!is_valid) fail(Errc::refused, path + ": is not a key: it must have 64 hexadecimal digits in one line");
  return ext2::Secret(bytes);
}

}  // namespace

KeyFile::KeyFile(const std::string& path) : secret_(ext2::Secret::random()) {
  std::error_code unknown;
  if (std::filesystem::exists(path, unknown) || unknown) {
    secret_ = parse_key(read_text_file(path), path);
    return;
  }
  new_file_ = std::make_unique<OutputFile>(path);
  const std::string text = as_text(secret_);
  new_file_->file().write(0, std::as_bytes(std::span(text)));
}

void KeyFile::commit() {
  if (new_file_) new_file_->commit(Durability::synced);
}

AnonymizedDump::AnonymizedDump(const Device& device, const Survey& survey, const AnonymizeOptions& options,
                               unsigned threads)
    : anonymizer_(filesystem_of(device), survey.selected.roles, options.secret, options.strictness, threads),
      file_(device.file(), anonymizer_, device.filesystem()->geometry.block_size()),
      extents_(anonymizer_.without_cleared(survey.selected.extents)) {}

void write_name_map(const AnonymizedDump& dump, const Survey& survey, OutputFile& file) {
  constexpr std::size_t kPiece = 1 << 20;
  std::string text = "# inode\tinode of the directory\tnew name\told name\n";
  std::uint64_t position = 0;
  const auto write = [&] {
    file.file().write(position, std::as_bytes(std::span(text)));
    position += text.size();
    text.clear();
  };
  dump.anonymizer().names().for_each_name(
      survey.selected.roles, [&](const ext2::DirectoryNames::Renamed& name) {
        text += fmt::format("{}\t{}\t{}\t{}\n", name.inode, name.directory, printable(name.after),
                            printable(name.before));
        if (text.size() >= kPiece) write();
      });
  write();
}

}  // namespace e2qcow::work
