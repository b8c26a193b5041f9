// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/file/direct_file.h"
#include "work/image.h"

namespace e2qcow::work {

// A disk to examine: in a qcow2 image, a raw file or a device.
class Disk {
 public:
  explicit Disk(Image image);
  // `direct` is `raw` where that is mounted (see past_stale_cache()), else null.
  Disk(std::unique_ptr<ReadableFile> raw, std::unique_ptr<DirectFile> direct);

  const ImageSource& source() const { return raw_ ? *raw_ : static_cast<const ImageSource&>(image_->disk()); }
  // See Image::finish().
  void finish() const {
    if (image_) image_->finish();
  }
  // Whether it is a metadata-only dump.
  bool is_metadata_only() const;
  // The kind of the dump that it is, unless that has changed since: an overlay is none.
  std::optional<DumpKind> dump_kind() const;

 private:
  std::unique_ptr<ReadableFile> file_;      // of a raw disk
  std::unique_ptr<DirectFile> direct_;      // null: it is not mounted
  std::unique_ptr<const ImageSource> raw_;  // null: it is in an image
  std::optional<Image> image_;
};

// The files of a disk: opened but not read yet, so that rights can be given up in between.
class DiskFiles {
 public:
  // options.path may end with :raw or :qcow2. Otherwise a file that begins like a qcow2 image is one, unless
  // it also looks like an ext file system. Data files are named when the disk is read.
  explicit DiskFiles(const ImageOptions& options);

  const std::string& name() const { return files_.file().name(); }
  // Takes the external data files that it needs. Throws Errc::ambiguous for a file that looks like both,
  // Errc::surplus_backing for a raw disk with backing files.
  Disk read(unsigned threads, qcow2::DataFiles& data_files) &&;

 private:
  DiskFiles(const ImageOptions& options, const qcow2::NamedFile& disk);

  std::optional<qcow2::DiskFormat> format_;
  bool has_backing_;
  ImageFiles files_;
  std::unique_ptr<DirectFile> direct_;  // null: it is not mounted
};

}  // namespace e2qcow::work
