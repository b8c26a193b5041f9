// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/classic.h"

#include <ext2fs/ext2fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/file/output_file.h"
#include "base/file/output_stream.h"
#include "base/file/temporary_file.h"
#include "base/storage.h"
#include "base/unique_fd.h"
#include "e2image_compat/block_sink.h"
#include "e2image_compat/complaint.h"
#include "e2image_compat/source.h"
#include "e2image_compat/target.h"
#include "work/refusals.h"

namespace e2qcow::compat {
namespace {

constexpr int kOpenFlags = EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS;

struct CloseFilesystem {
  void operator()(ext2_filsys filesystem) const { ::ext2fs_close_free(&filesystem); }
};
using Library = std::unique_ptr<struct_ext2_filsys, CloseFilesystem>;

void check(errcode_t error, const char* text) {
  if (error != 0) complain(error, text);
}

// The first block of an image; integers are little-endian. Source: e2fsprogs, lib/ext2fs/e2image.h, which is
// not installed.
struct ImageHeader {
  std::uint32_t magic;
  char descriptor[16];
  char host_name[64];
  std::uint8_t unused_network_address[36];
  std::uint32_t device;  // that is in the image
  char device_name[64];
  std::uint8_t uuid[16];
  std::uint32_t block_size;
  std::uint32_t unused[8];
  std::uint32_t image_device;
  std::uint32_t image_inode;
  std::uint32_t image_time;
  std::uint32_t unused_too[8];
  std::uint32_t super_offset;  // in the image
  std::uint32_t inode_offset;
  std::uint32_t inode_map_offset;
  std::uint32_t block_map_offset;
  std::uint32_t unused_again[8];
};
static_assert(sizeof(ImageHeader) == 332);

std::uint32_t little_endian_low(std::uint64_t value) {
  return little_endian(static_cast<std::uint32_t>(value));
}

ImageHeader describe(const Options& options, ext2_filsys filesystem, int fd) {
  ImageHeader header{};
  header.magic = little_endian_low(EXT2_ET_MAGIC_E2IMAGE);
  std::strcpy(header.descriptor, "Ext2 Image 1.0");
  ::gethostname(header.host_name, sizeof header.host_name);
  options.source.copy(header.device_name, sizeof header.device_name - 1);
  header.block_size = little_endian_low(filesystem->blocksize);
  struct stat status {};
  if (::stat(options.source.c_str(), &status) == 0) header.device = little_endian_low(status.st_rdev);
  if (::fstat(fd, &status) == 0) {
    header.image_device = little_endian_low(status.st_dev);
    header.image_inode = little_endian_low(status.st_ino);
  }
  std::ranges::copy(filesystem->super->s_uuid, header.uuid);
  header.image_time = little_endian_low(static_cast<std::uint64_t>(std::time(nullptr)));
  return header;
}

std::uint32_t position(int fd) {
  return little_endian_low(static_cast<std::uint64_t>(::ext2fs_llseek(fd, 0, SEEK_CUR)));
}

void write_header(int fd, std::uint32_t block_size, const ImageHeader& header) {
  std::vector<std::byte> block(block_size);
  std::memcpy(block.data(), &header, sizeof header);
  if (::ext2fs_llseek(fd, 0, SEEK_SET) < 0) complain(errno, "while writing superblock");
  OutputStream(fd, "image").write(block);
}

// The descriptor must be seekable. The header is written last, so that an interrupted image is not taken for
// one.
void write_parts(const Options& options, ext2_filsys filesystem, int fd) {
  ImageHeader header = describe(options, filesystem, fd);
  write_header(fd, filesystem->blocksize, {});
  header.super_offset = position(fd);
  check(::ext2fs_image_super_write(filesystem, fd, 0), "while writing superblock");
  header.inode_offset = position(fd);
  check(::ext2fs_image_inode_write(filesystem, fd, IMAGER_FLAG_SPARSEWRITE), "while writing inode table");
  header.block_map_offset = position(fd);
  check(::ext2fs_image_bitmap_write(filesystem, fd, 0), "while writing block bitmap");
  header.inode_map_offset = position(fd);
  check(::ext2fs_image_bitmap_write(filesystem, fd, IMAGER_FLAG_INODEMAP), "while writing inode bitmap");
  write_header(fd, filesystem->blocksize, header);
}

Library open_library(const Options& options) {
  ext2_filsys filesystem = nullptr;
  const errcode_t error =
      ::ext2fs_open(options.source.c_str(), kOpenFlags, 0, static_cast<unsigned>(options.block_size),
                    unix_io_manager, &filesystem);
  if (error != 0) throw no_filesystem(options, error);
  return Library(filesystem);
}

Library open_image(const std::string& path) {
  ext2_filsys filesystem = nullptr;
  const errcode_t error =
      ::ext2fs_open(path.c_str(), kOpenFlags | EXT2_FLAG_IMAGE_FILE, 0, 0, unix_io_manager, &filesystem);
  if (error != 0) complain(error, "while trying to open " + path);
  Library image(filesystem);
  check(::ext2fs_read_bitmaps(filesystem), "error reading bitmaps");
  return image;
}

ext2_loff_t inode_table_offset(const ReadableFile& image) {
  ImageHeader header{};
  image.read(0, std::as_writable_bytes(std::span(&header, 1)));
  return little_endian(header.inode_offset);
}

}  // namespace

int write_classic(const Options& options) {
  const Library filesystem = open_library(options);
  if (options.list_only) {
    constexpr std::uint64_t kHeaderTwice = 2;
    list_other_writes(kHeaderTwice);
    return 0;
  }
  const TargetKind kind = target_kind(options.target);
  if (is_stream(kind)) {
    const auto spool = open_temporary_file();
    write_parts(options, filesystem.get(), spool->fd());
    const UniqueFd named = options.to_stdout() ? UniqueFd() : open_stream_for_writing(options.target);
    OutputStream out = options.to_stdout() ? standard_output() : OutputStream(named.get(), options.target);
    send(*spool, out);
    return 0;
  }
  work::refuse_overwriting({options.target, stored_ranges(options.target)},
                           {options.source, stored_ranges(options.source)});
  const auto output = open_output(options.target);
  write_parts(options, filesystem.get(), output->file().fd());
  output->commit(Durability::if_it_replaces);
  return 0;
}

int install_classic(const Options& options) {
  if (options.type != ImageType::classic) complain("Raw and qcow2 images cannot be installed");
  Library image = open_image(options.target);
  const auto file = open_for_reading(options.target);
  work::refuse_mounted_target(options.source);
  io_channel device = nullptr;
  if (unix_io_manager->open(options.source.c_str(), IO_FLAG_RW | IO_FLAG_EXCLUSIVE, &device) != 0)
    throw Complaint(options.source + ": while opening device file\n");
  ::ext2fs_rewrite_to_io(image.get(), device);
  if (::ext2fs_llseek(file->fd(), inode_table_offset(*file), SEEK_SET) < 0 ||
      ::ext2fs_image_inode_read(image.get(), file->fd(), 0) != 0)
    throw Complaint(options.target + ": while restoring the image table\n");
  ext2_filsys written = image.release();
  check(::ext2fs_close_free(&written), "while writing superblock");
  return 0;
}

}  // namespace e2qcow::compat
