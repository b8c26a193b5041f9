// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/disk_input.h"

#include <e2qcow/error.h>

#include "ext2/superblock.h"
#include "qcow2/front.h"

namespace e2qcow::cli {
namespace {

enum class Format { unknown, raw, qcow2 };

// Cuts the suffix off.
Format take_format(std::string& path) {
  for (const auto& [suffix, format] : {std::pair{":raw", Format::raw}, std::pair{":qcow2", Format::qcow2}}) {
    if (!path.ends_with(suffix)) continue;
    path.resize(path.size() - std::string_view(suffix).size());
    return format;
  }
  return Format::unknown;
}

Format format_of(const File& file) {
  const bool is_qcow2 = qcow2::has_magic(file);
  if (is_qcow2 && ext2::read_superblock(file, ext2::kSuperblockOffset))
    fail(Errc::refused, file.name() +
                            ": looks like a qcow2 image and like an ext file system; say which, with " +
                            file.name() + ":qcow2 or " + file.name() + ":raw");
  return is_qcow2 ? Format::qcow2 : Format::raw;
}

}  // namespace

DiskInput::DiskInput(ImageOptions options) {
  Format format = take_format(options.path);
  name_ = options.path;
  if (format != Format::qcow2) {
    file_ = open_for_reading(options.path);
    if (format == Format::unknown) format = format_of(*file_);
  }
  if (format == Format::raw && !options.backing.empty())
    fail(Errc::refused, name_ + ": a raw disk has no backing file");
  if (format == Format::raw)
    raw_ = std::make_unique<FileSource>(*file_);
  else
    image_ = std::make_unique<ImageInput>(options);
}

void DiskInput::read(unsigned threads) {
  if (image_) image_->read(threads);
}

std::vector<std::string> DiskInput::writable_directories() const {
  return image_ ? image_->writable_directories() : std::vector<std::string>();
}

}  // namespace e2qcow::cli
