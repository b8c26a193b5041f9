// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/file/pipe_file.h"
#include "base/file/posix_file.h"
#include "qcow2/read/chain_files.h"

namespace e2qcow::cli {

// The options that say what image is read, and what is believed of it.
struct ImageOptions {
  std::string path;
  std::vector<std::string> backing{};  // FILE[:raw|qcow2], from the top down
  std::uint64_t max_size = 1ULL << 50;
  std::uint64_t max_ratio = qcow2::Reader::kPlausibleRatio;
};
void add_image_options(CLI::App& command, ImageOptions& options);
// Parts of that.
void add_backing_option(CLI::App& command, const std::string& name, ImageOptions& options);
void add_limit_options(CLI::App& command, ImageOptions& options);

// A qcow2 image to read, a file or, as "-", standard input, with the backing files that the user names. What
// names stand in the image itself opens nothing.
class ImageInput {
 public:
  // Opens the files, and reads nothing yet.
  explicit ImageInput(const ImageOptions& options);

  // The image's own file.
  const ReadableFile& file() const { return files_.file(); }

  // Checks headers and tables; what follows is there from then on.
  void read(unsigned threads);

  // The image alone.
  qcow2::Reader& reader() { return files_.reader(); }
  // Its disk.
  qcow2::Chain& disk() { return files_.disk(); }
  // Of the image and its backing files; an upper bound.
  std::uint64_t data_bytes() const { return data_bytes_; }
  // The files of the chain, by depth.
  const std::vector<std::string>& names() const { return files_.names(); }

  // To be called when all was read: lets the other end of a pipe finish.
  void finish();

 private:
  std::unique_ptr<ReadableFile> open_image(const std::string& path);
  void examine(qcow2::Reader& image);
  void forget_front(qcow2::Reader& image, unsigned threads);

  ImageOptions options_;
  PipeFile* pipe_ = nullptr;  // the image, if it is one
  qcow2::ChainFiles files_;
  std::uint64_t data_bytes_ = 0;
};

}  // namespace e2qcow::cli
