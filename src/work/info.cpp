// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/info.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <array>

#include "image/disk_file.h"
#include "qcow2/format/read_header.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/digest_table.h"

namespace e2qcow::work {
namespace {

std::optional<ext2::Description> describe_filesystem(qcow2::Reader& reader) {
  qcow2::Chain chain({&reader}, nullptr);
  const DiskFile disk(chain, reader.file().name());
  const auto superblock = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  if (!superblock) return std::nullopt;
  return ext2::describe(*superblock);
}

void add_lists(Info& info, const ReadableFile& file) {
  if (info.header.snapshot_count > 0)
    info.snapshots =
        qcow2::read_snapshots(file, info.header, [](std::uint32_t, const qcow2::Fault&) {}).snapshots;
  for (const qcow2::Extension& extension : info.extensions) {
    if (extension.type != qcow2::kBitmaps) continue;
    const auto directory = qcow2::decode_bitmap_directory(extension.data);
    if (!directory || directory->host.offset > info.file_size ||
        directory->host.length > info.file_size - directory->host.offset)
      continue;
    info.bitmaps = qcow2::read_bitmaps(file, *directory, [](const qcow2::Fault&) {});
  }
}

void read_disk(Info& info, const ReadableFile& file, const ReadableFile* data_file,
               const ImageOptions& options) {
  qcow2::Reader reader(file, data_file);
  refuse_too_large(reader, options);
  info.backing_file = reader.backing_file_name();
  info.record = reader.record();
  info.was_opened_for_writing = reader.was_opened_for_writing();
  info.base = qcow2::decode_base(info.extensions);
  info.digest_place = qcow2::decode_digest_place(info.extensions);
  if (info.digest_place) info.digests = qcow2::read_seal(file, *info.digest_place, info.header);
  add_lists(info, file);
  info.data_bytes = reader.check_tables(options.max_ratio).data_bytes();
  if (!info.backing_file) info.filesystem = describe_filesystem(reader);
}

bool is_no_damage(const std::error_code& code) {
  constexpr std::array kCodes{Errc::unsupported, Errc::missing_data_file, Errc::refused, Errc::too_large,
                              Errc::implausible};
  return std::ranges::any_of(kCodes, [&](Errc known) { return code == known; });
}

}  // namespace

Info read_info(const ReadableFile& image, const ReadableFile* data_file, const ImageOptions& options) {
  Info info;
  qcow2::refuse_other_contents(image);
  info.header = qcow2::decode_fields(qcow2::read_front(image, qcow2::kHeaderLengthV3), image.name());
  info.extensions = qcow2::read_extensions(image, info.header).extensions;
  info.file_size = image.size();
  try {
    read_disk(info, image, data_file, options);
  } catch (const std::system_error& error) {
    if (!is_no_damage(error.code())) throw;
    info.unreadable = error.what();
    info.unreadable_code = error.code();
  }
  return info;
}

}  // namespace e2qcow::work
