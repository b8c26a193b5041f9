// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file/pipe_file.h"
#include "nbd/options.h"
#include "qcow2/read/chain_files.h"
#include "qcow2/read/digest_state.h"
#include "work/notice.h"

namespace e2qcow::work {

// The image to read, and the limits of what is accepted.
struct ImageOptions {
  std::string path{};                                        // "-": standard input
  std::vector<std::string> backing{};                        // FILE[:raw|:qcow2], from the top down
  std::vector<std::string> data_files{};                     // external, of those images that have one
  std::uint64_t max_size = 1ULL << 50;                       // of the disk, in bytes
  std::uint64_t max_ratio = qcow2::Reader::kPlausibleRatio;  // of compressed data to the file's size
  bool verify = true;     // check what is read by the digests that an image holds
  nbd::Options remote{};  // for disks on servers
  Notice notice = ignore_notice;
};

// An image to read: all tables were checked, and that the file can hold what they claim.
class Image {
 public:
  // `pipe` is the source of the image, if it comes from one, and belongs to `files`. `threads` is the number
  // of readers.
  Image(qcow2::ChainFiles files, qcow2::DataFiles& data_files, PipeFile* pipe, const ImageOptions& options,
        unsigned threads);

  // The image by itself.
  qcow2::Reader& reader() const { return chain_.reader(); }
  // All images that its disk is made of, from the top down.
  std::span<const std::unique_ptr<qcow2::Reader>> readers() const { return chain_.readers(); }
  // That of the topmost image that has one.
  std::optional<DumpRecord> record() const;
  bool is_piped() const { return pipe_ != nullptr; }
  // The raw file at the bottom; null if there is none.
  const ReadableFile* raw_base() const { return chain_.raw_base(); }
  // Its disk.
  qcow2::Chain& disk() const { return chain_.disk(); }
  // The data of the image and its backing files; an upper bound.
  std::uint64_t data_bytes() const { return data_bytes_; }

  // Whether it, or a backing file, has faults in what the disk does not depend on.
  bool contradicts_itself() const { return contradicts_itself_; }
  // Whether its data should be compared with digests, and cannot be: they are gone, or its tables are others.
  bool is_unchecked() const { return is_unchecked_; }

  // Call it before all of the disk is read, from front to back: that is when an image from a pipe can be
  // checked. Returns what to call before the result is used. It throws Errc::wrong_digest.
  std::function<void()> begin_check();

  // Call it when everything was read: lets the other end of a pipe finish.
  void finish() const;

 private:
  PipeFile* pipe_;
  std::uint64_t max_ratio_;
  std::uint64_t data_bytes_ = 0;
  bool contradicts_itself_ = false;
  bool is_unchecked_ = false;
  qcow2::TableSummary piped_tables_{};  // what the image claims, if it comes from a pipe
  Notice notice_;
  std::optional<qcow2::StreamCheck> piped_check_;
  qcow2::OpenChain chain_;
};

// The files of an image: opened, only by names that the user gives, but not read yet, so that rights can be
// given up in between.
class ImageFiles {
 public:
  explicit ImageFiles(const ImageOptions& options);
  // For a file that is already open.
  ImageFiles(std::unique_ptr<ReadableFile> image, const ImageOptions& options);

  // The image's own file.
  const ReadableFile& file() const { return files_.file(); }
  bool is_piped() const { return pipe_ != nullptr; }
  // The files of the chain, by depth.
  std::vector<std::string> names() const { return files_.names(); }

  // Throws Errc::surplus_data_file if the options name one too many.
  Image read(unsigned threads) &&;
  // With data files that may be for other images as well, instead of those in the options.
  Image read(unsigned threads, qcow2::DataFiles& data_files) &&;
  // For a file that turned out not to be an image.
  std::unique_ptr<ReadableFile> take_file() && { return std::move(files_).take_file(); }

 private:
  ImageFiles(const ImageOptions& options, std::unique_ptr<PipeFile> pipe);

  ImageOptions options_;
  PipeFile* pipe_;  // null: the image is a file
  qcow2::ChainFiles files_;
  qcow2::DataFiles data_files_;
};

// Whether the file can be opened and begins like an image.
bool is_image(const std::string& path);

// Throws Errc::too_large for a disk of more than options.max_size.
void refuse_too_large(const qcow2::Reader& image, const ImageOptions& options);

}  // namespace e2qcow::work
