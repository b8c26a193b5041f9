// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "ext2/structures/description.h"
#include "image/dump_record.h"
#include "qcow2/format/bitmaps.h"
#include "qcow2/format/digest_seal.h"
#include "qcow2/format/format.h"
#include "qcow2/format/snapshots.h"
#include "qcow2/read/identity.h"
#include "work/image.h"

namespace e2qcow::work {

// The description of an image, from its header and its record, and of the file system in it.
struct Info {
  qcow2::Header header;
  std::vector<qcow2::Extension> extensions;
  std::uint64_t file_size = 0;
  std::string unreadable;  // why the disk in it cannot be read; the members below are then unknown
  std::error_code unreadable_code;
  std::uint64_t data_bytes = 0;
  std::optional<DumpRecord> record;
  std::optional<bool> was_opened_for_writing;      // since the dump; see qcow2::Reader
  std::optional<qcow2::DigestPlace> digest_place;  // absent: it holds no digests
  std::optional<qcow2::DigestSeal> digests;        // absent: they were overwritten or cut off, or are damaged
  std::optional<qcow2::Identity> base;             // of the image that it was made on
  std::optional<ext2::Description> filesystem;
  std::optional<std::string> backing_file;
  std::vector<qcow2::Snapshot> snapshots;
  std::vector<qcow2::Bitmap> bitmaps;
};

// An image that needs a feature we do not support is described as far as its header goes; a damaged one is an
// error. Of the options, only the limits are used.
// `data_file`: the external one, if the image has one and the user has named it; else null.
Info read_info(const ReadableFile& image, const ReadableFile* data_file, const ImageOptions& options);

}  // namespace e2qcow::work
