// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "cli/image_input.h"
#include "image/file_source.h"

namespace e2qcow::cli {

// A disk to look at: a qcow2 image, a raw file or a device.
class DiskInput {
 public:
  // options.path may end with :raw or :qcow2. Without that a file that begins as a qcow2 image is one, unless
  // it looks like an ext file system, too: then it is refused.
  // Opens the files; read() comes when rights are given up.
  explicit DiskInput(ImageOptions options);
  void read(unsigned threads);
  std::vector<std::string> writable_directories() const;

  ImageSource& disk() { return image_ ? static_cast<ImageSource&>(image_->disk()) : *raw_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<ImageInput> image_;
  std::unique_ptr<PosixFile> file_;
  std::unique_ptr<FileSource> raw_;
};

}  // namespace e2qcow::cli
