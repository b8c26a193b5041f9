// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <memory>
#include <string>
#include <vector>

#include "base/storage.h"

namespace e2qcow::qcow2 {

// The external data files that the user names, opened and not read yet. The images that have one take them in
// this order.
class DataFiles {
 public:
  explicit DataFiles(const std::vector<std::string>& paths);

  // The next one, for an image that is stored in `image`; null if none is left. Throws Errc::refused if it is
  // the image itself.
  std::unique_ptr<ReadableFile> take(const std::vector<StoredRange>& image);
  // Call it when all images have theirs. Throws Errc::surplus_data_file if one is left.
  void refuse_surplus() const;

 private:
  struct Named {
    std::unique_ptr<ReadableFile> file;
    std::vector<StoredRange> stored;
  };
  std::vector<Named> files_;
  std::size_t taken_ = 0;
};

// For a program that reads one image without its backing files: the data file of the image, which is stored
// in `stored`; null if it has none or none was named. Throws Errc::surplus_data_file, and what
// decode_fields() throws.
std::unique_ptr<ReadableFile> data_file_of(const ReadableFile& image, const std::vector<StoredRange>& stored,
                                           DataFiles files);

}  // namespace e2qcow::qcow2
