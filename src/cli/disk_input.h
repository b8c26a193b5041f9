// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "cli/image_input.h"
#include "image/raw_source.h"

namespace e2qcow::cli {

// A disk to look at: a qcow2 image, a raw file or a device.
class DiskInput {
 public:
  // options.path may end with :raw or :qcow2. Without that a file that begins as a qcow2 image is one, unless
  // it looks like an ext file system, too: then it is refused.
  // Opens the files; read() comes when rights are given up.
  explicit DiskInput(ImageOptions options);
  void read(unsigned threads);

  ImageSource& disk() { return raw_ ? static_cast<ImageSource&>(*raw_) : input_.disk(); }
  const std::string& name() const { return input_.file().name(); }
  // Whether it is a dump without the contents of files.
  bool is_metadata_alone();

 private:
  enum class Format { unknown, raw, qcow2 };
  static Format take_format(std::string& path);

  bool has_backing_;
  Format format_;
  ImageInput input_;
  std::unique_ptr<RawSource> raw_;  // null: it is an image
};

}  // namespace e2qcow::cli
