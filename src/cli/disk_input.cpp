// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/disk_input.h"

#include <e2qcow/error.h>

#include "ext2/structures/superblock.h"
#include "qcow2/format/read_header.h"

namespace e2qcow::cli {
namespace {

bool is_image(const ReadableFile& file) {
  const bool is_qcow2 = qcow2::has_magic(file);
  if (is_qcow2 && ext2::read_superblock(file, ext2::kSuperblockOffset))
    fail(Errc::refused, file.name() +
                            ": looks like a qcow2 image and like an ext file system; say which, with " +
                            file.name() + ":qcow2 or " + file.name() + ":raw");
  return is_qcow2;
}

}  // namespace

// Cuts the suffix off.
DiskInput::Format DiskInput::take_format(std::string& path) {
  for (const auto& [suffix, format] : {std::pair{":raw", Format::raw}, std::pair{":qcow2", Format::qcow2}}) {
    if (!path.ends_with(suffix)) continue;
    path.erase(path.size() - std::string_view(suffix).size());
    return format;
  }
  return Format::unknown;
}

DiskInput::DiskInput(ImageOptions options)
    : has_backing_(!options.backing.empty()), format_(take_format(options.path)), input_(options) {}

void DiskInput::read(unsigned threads) {
  if (format_ == Format::unknown) format_ = is_image(input_.file()) ? Format::qcow2 : Format::raw;
  if (format_ == Format::qcow2) return input_.read(threads);
  if (has_backing_) fail(Errc::refused, name() + ": a raw disk has no backing file");
  raw_ = std::make_unique<RawSource>(input_.file());
}

bool DiskInput::is_metadata_alone() {
  if (raw_) return false;
  const auto record = input_.reader().record();
  return record && record->kind == DumpKind::metadata;
}

}  // namespace e2qcow::cli
