// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "qcow2/read/chain.h"

namespace e2qcow::qcow2 {

// An image and the backing files that the user names for it, FILE[:raw|qcow2] each, from the top down. What
// names stand in the images themselves opens nothing.
class ChainFiles {
 public:
  // Opens the backing files, and reads nothing yet.
  ChainFiles(std::unique_ptr<ReadableFile> image, std::vector<std::string> backing);

  // Reads the images from the top down and calls `examine` for each before anything else is done with it.
  // Whether a backing file is raw or qcow2 is what the user says, else what the image says, and never
  // guessed. Throws Errc::refused where a backing file is one too many or its format is not known,
  // Errc::unsupported where one is missing.
  void read(const std::function<void(Reader&)>& examine);

  // The image's file.
  const ReadableFile& file() const { return *files_.front(); }

  // From then on: the image alone, and its disk.
  Reader& reader() const { return *readers_.front(); }
  Chain& disk() const { return *chain_; }
  // The raw file at the bottom; null where there is none.
  const ReadableFile* raw_base() const { return raw_base_; }

  // The files' names, by depth.
  const std::vector<std::string>& names() const { return names_; }

 private:
  void open_backing(const std::string& text);
  void read_backing(std::size_t index, const std::function<void(Reader&)>& examine);
  void add_image(const ReadableFile& file, const std::function<void(Reader&)>& examine);

  std::vector<std::string> backing_;
  std::vector<std::string> names_;                    // by depth
  std::vector<std::unique_ptr<ReadableFile>> files_;  // the same
  std::vector<std::unique_ptr<Reader>> readers_;
  const ReadableFile* raw_base_ = nullptr;
  std::unique_ptr<Chain> chain_;
};

// What the image says of itself that its user should know before its data is believed; a line each.
std::vector<std::string> warnings_of(const Reader& image);

}  // namespace e2qcow::qcow2
