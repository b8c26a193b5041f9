// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/data_files.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/file/posix_file.h"
#include "qcow2/format/read_header.h"

namespace e2qcow::qcow2 {

DataFiles::DataFiles(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) files_.push_back({open_for_reading(path), stored_ranges(path)});
}

std::unique_ptr<ReadableFile> DataFiles::take(const std::vector<StoredRange>& image) {
  if (taken_ == files_.size()) return nullptr;
  Named& next = files_[taken_++];
  if (overlap(image, next.stored))
    fail(Errc::refused, next.file->name() + ": is the image itself, and not its data file");
  return std::move(next.file);
}

void DataFiles::refuse_surplus() const {
  if (taken_ == files_.size()) return;
  fail(Errc::surplus_data_file, fmt::format("{}: is one data file too many; no {}image has an external one",
                                            files_[taken_].file->name(), taken_ == 0 ? "" : "other "));
}

std::unique_ptr<ReadableFile> data_file_of(const ReadableFile& image, const std::vector<StoredRange>& stored,
                                           DataFiles files) {
  refuse_other_contents(image);
  const Header header = decode_fields(read_front(image, kHeaderLengthV3), image.name());
  auto data_file = header.has_data_file() ? files.take(stored) : nullptr;
  files.refuse_surplus();
  return data_file;
}

}  // namespace e2qcow::qcow2
