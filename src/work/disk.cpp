// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/disk.h"

#include <e2qcow/error.h>

#include "base/mounts.h"
#include "image/raw_source.h"
#include "qcow2/format/read_header.h"
#include "work/refusals.h"

namespace e2qcow::work {
namespace {

using qcow2::DiskFormat;

DiskFormat recognise(const ReadableFile& file) {
  if (!qcow2::has_magic(file)) return DiskFormat::raw;
  refuse_ambiguous(file);
  return DiskFormat::qcow2;
}

ImageOptions with_path(ImageOptions options, const std::string& path) {
  options.path = path;
  return options;
}

}  // namespace

Disk::Disk(Image image) : image_(std::move(image)) {}

Disk::Disk(std::unique_ptr<ReadableFile> raw, std::unique_ptr<DirectFile> direct)
    : file_(std::move(raw)),
      direct_(std::move(direct)),
      raw_(std::make_unique<RawSource>(direct_ ? static_cast<const ReadableFile&>(*direct_) : *file_)) {}

bool Disk::is_metadata_only() const {
  if (!image_) return false;
  const auto record = image_->reader().record();
  return record && record->kind != DumpKind::all;
}

std::optional<DumpKind> Disk::dump_kind() const {
  if (!image_ || image_->reader().backing_file_name()) return std::nullopt;
  const auto record = image_->reader().record();
  return record ? std::optional(record->kind) : std::nullopt;
}

DiskFiles::DiskFiles(const ImageOptions& options)
    : DiskFiles(options, qcow2::parse_named_file(options.path)) {}

DiskFiles::DiskFiles(const ImageOptions& options, const qcow2::NamedFile& disk)
    : format_(disk.format),
      has_backing_(!options.backing.empty()),
      files_(with_path(options, disk.path)),
      direct_(past_stale_cache(files_.file())) {}

Disk DiskFiles::read(unsigned threads, qcow2::DataFiles& data_files) && {
  if (!format_) format_ = recognise(files_.file());
  if (format_ == DiskFormat::qcow2) return Disk(std::move(files_).read(threads, data_files));
  if (files_.is_piped()) fail(Errc::unsupported, name() + ": a raw disk cannot be read from a pipe");
  if (has_backing_) fail(Errc::surplus_backing, name() + ": a raw disk has no backing file");
  return {std::move(files_).take_file(), std::move(direct_)};
}

}  // namespace e2qcow::work
