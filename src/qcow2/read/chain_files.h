// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qcow2/read/chain.h"
#include "qcow2/read/named_file.h"

namespace e2qcow::qcow2 {

// Is called for each image of a chain, from the top down, before anything else is done with it.
using Examine = std::function<void(Reader&)>;

// A file of a chain.
struct Layer {
  std::string name;
  std::optional<DiskFormat> format;  // absent: as the image above says
  std::unique_ptr<ReadableFile> file;
};

// An image and its backing files, read as far as headers go.
class OpenChain {
 public:
  // `layers` from the top down. Whether a backing file is raw or qcow2 is what its layer says, else what the
  // image above says, and never guessed. Throws Errc::surplus_backing, unknown_format or missing_backing.
  OpenChain(std::vector<Layer> layers, const Examine& examine);

  // The image alone, and its disk.
  Reader& reader() const { return *readers_.front(); }
  Chain& disk() const { return *chain_; }
  // The raw file at the bottom; null if there is none.
  const ReadableFile* raw_base() const { return raw_base_; }

 private:
  void read_backing(const Layer& layer, const Examine& examine);
  void add_image(const ReadableFile& file, const Examine& examine);

  std::vector<Layer> layers_;
  std::vector<std::unique_ptr<Reader>> readers_;
  const ReadableFile* raw_base_ = nullptr;
  std::unique_ptr<Chain> chain_;
};

// The files of an image, opened and not read yet, so that rights can be given up in between. Only files that
// the user names are opened; the names in images open nothing.
class ChainFiles {
 public:
  // `backing` is FILE[:raw|:qcow2] each, from the top down.
  ChainFiles(std::unique_ptr<ReadableFile> image, const std::vector<std::string>& backing);

  // The image's file.
  const ReadableFile& file() const { return *layers_.front().file; }
  // The files' names, by depth.
  std::vector<std::string> names() const;

  OpenChain read(const Examine& examine) && { return OpenChain(std::move(layers_), examine); }
  // Gives up the image's file, for what turned out to be no image.
  std::unique_ptr<ReadableFile> take_file() && { return std::move(layers_.front().file); }

 private:
  void open_backing(const std::string& text);

  std::vector<Layer> layers_;
};

// What the image says of itself that its user should know before its data is believed; a line each.
std::vector<std::string> warnings_of(const Reader& image);

}  // namespace e2qcow::qcow2
