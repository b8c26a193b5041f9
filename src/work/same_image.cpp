// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/same_image.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include "base/extents.h"
#include "base/file/data_cursor.h"
#include "base/file/posix_file.h"
#include "image/compare.h"
#include "image/extent_source.h"
#include "qcow2/format/record_extension.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/reader.h"
#include "work/image.h"

namespace e2qcow::work {
namespace {

// Null if there is no image that can be read, whatever the reason: then a new one is written.
std::unique_ptr<Image> open_image(const std::string& path, unsigned threads, bool& warned) {
  try {
    if (!is_image(path)) return nullptr;
    ImageOptions options{.path = path, .notice = [&warned](const std::string&) { warned = true; }};
    return std::make_unique<Image>(ImageFiles(options).read(threads));
  } catch (const std::system_error& error) {
    if (error.code() == Errc::interrupted) throw;
    return nullptr;
  }
}

bool is_whole(const Image& image) {
  const qcow2::Reader& reader = image.reader();
  const auto record = image.record();
  return record && record->complete() && reader.was_opened_for_writing() == false &&
         reader.contradiction().empty();
}

bool has_record(const Image& image, const DumpRecord& record) {
  const qcow2::Extension wanted = qcow2::encode_record(record);
  return std::ranges::any_of(image.reader().extensions(), [&](const qcow2::Extension& extension) {
    return extension.type == wanted.type && extension.data == wanted.data;
  });
}

}  // namespace

std::optional<std::uint64_t> size_if_same(const std::string& path, const ReadableFile& file,
                                          const std::vector<Extent>& extents, std::uint64_t disk_size,
                                          const std::function<DumpRecord()>& record,
                                          const TransferOptions& options) {
  bool warned = false;
  const auto image = open_image(path, options.threads, warned);
  if (!image || warned || !is_whole(*image) || image->disk().size() != disk_size) return std::nullopt;
  if (options.progress) options.progress->begin("compare", total_length(extents));
  const ExtentSource source(file, data_in(file, extents));
  try {
    if (first_difference(image->disk(), source, options)) return std::nullopt;
  } catch (const std::system_error& error) {
    if (error.code() != Errc::corrupt && error.code() != Errc::truncated) throw;
    return std::nullopt;  // a cluster of the image cannot be decoded
  }
  if (!has_record(*image, record())) return std::nullopt;
  return image->reader().file().size();
}

}  // namespace e2qcow::work
