// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <functional>
#include <vector>

#include "base/file/output_file.h"
#include "work/base_image.h"
#include "work/plan.h"

namespace e2qcow::work {

// How a compressed image goes to standard output: its tables come first, and are known last.
enum class Spool {
  kept,  // the image is kept in memory, or in a temporary file if it is large, until it is complete
  none   // it is made twice, the first time for the tables alone
};

// The destination of an image, and how it is written.
struct ImageOutput {
  OutputFile* file;  // null: standard output
  ImageFormat format;
  qcow2::Layout layout;
  // Returns the extensions of the header. It is called when the header is written: at the end, or before the
  // first byte of data if an uncompressed image goes to a pipe.
  enum class When { before_data, after_data };
  std::function<std::vector<qcow2::Extension>(When)> extensions;
  std::uint64_t begin = 0;  // of the file on its device, for messages
  bool commit = true;       // when it is complete
  Spool spool = Spool::kept;
  bool verify = false;  // read it back, and compare it with what it was made of; not for standard output
  const BaseImage* base = nullptr;  // what it lies on; null: nothing
};

// The same extents, and those where the base, if there is one, has data.
std::vector<Extent> with_extents_of(const BaseImage* base, const ReadableFile& file,
                                    const std::vector<Extent>& extents);

// Writes the disk that has these extents of the file. The layout is that of with_extents_of(). Returns the
// size of the image. Throws Errc::corrupt if it is to be verified and differs; it is not committed then.
// Throws Errc::changed if it is made twice and the second image would not be the first one; what went out is
// then incomplete.
std::uint64_t write_image(const ImageOutput& output, const ReadableFile& file,
                          const std::vector<Extent>& extents, const TransferOptions& options);

// The size that an image of these extents of the file would have, found by making it and throwing it away.
std::uint64_t weigh_image(const ImageFormat& format, const qcow2::Layout& layout, const ReadableFile& file,
                          const std::vector<Extent>& extents, const TransferOptions& options);

}  // namespace e2qcow::work
