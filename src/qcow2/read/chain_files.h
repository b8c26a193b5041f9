// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/storage.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/data_files.h"
#include "qcow2/read/named_file.h"

namespace e2qcow::qcow2 {

// Is called for each image of a chain, from the top down, before anything else is done with it.
using Examine = std::function<void(Reader&)>;

// A file of a chain.
struct Layer {
  std::string name;
  std::optional<DiskFormat> format;  // absent: the format in the image above
  std::unique_ptr<ReadableFile> file;
  std::vector<StoredRange> stored;            // where the file is
  std::unique_ptr<ReadableFile> data_file{};  // external; null: none
};

// An image and its backing files, read as far as headers go.
class OpenChain {
 public:
  // `layers` top down. The format of a backing file is the one in its layer, or else the one in the image
  // above it; it is never guessed. The images that have an external data file take it from `data_files`, from
  // the top down. Throws Errc::surplus_backing, unknown_format, missing_backing or missing_data_file.
  OpenChain(std::vector<Layer> layers, DataFiles& data_files, const Examine& examine);

  // The image by itself, and its disk.
  Reader& reader() const { return *readers_.front(); }
  // All images, from the top down.
  std::span<const std::unique_ptr<Reader>> readers() const { return readers_; }
  Chain& disk() const { return *chain_; }
  // The raw file at the bottom; null if there is none.
  const ReadableFile* raw_base() const { return raw_base_; }

 private:
  void read_backing(Layer& layer, DataFiles& data_files, const Examine& examine);
  void add_image(Layer& layer, DataFiles& data_files, const Examine& examine);

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

  // May leave some of the data files.
  OpenChain read(DataFiles& data_files, const Examine& examine) && {
    return {std::move(layers_), data_files, examine};
  }
  // Gives up the image's file, for what turned out to be no image.
  std::unique_ptr<ReadableFile> take_file() && { return std::move(layers_.front().file); }

 private:
  void open_backing(const std::string& text);

  std::vector<Layer> layers_;
};

// Warnings from the image's header that its user should see before relying on the data; one per line.
std::vector<std::string> warnings_of(const Reader& image);

}  // namespace e2qcow::qcow2
