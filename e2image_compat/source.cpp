// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/source.h"

#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "e2image_compat/shown_disk.h"
#include "e2image_compat/signature_text.h"
#include "work/report.h"

namespace e2qcow::compat {
namespace {

constexpr std::size_t kMaxLines = 10;

// The reason as a code of libext2fs; 0 if it has none.
errcode_t reason_of_library(const Options& options) {
  const std::string offset = fmt::format("offset={}", options.source_offset);
  ext2_filsys filesystem = nullptr;
  const errcode_t error =
      ::ext2fs_open2(options.source.c_str(), offset.c_str(), EXT2_FLAG_64BITS | EXT2_FLAG_IGNORE_CSUM_ERRORS,
                     static_cast<int>(options.superblock), options.block_size, unix_io_manager, &filesystem);
  if (filesystem != nullptr) ::ext2fs_free(filesystem);
  return error;
}

work::DeviceOptions device_options(const Options& options) {
  work::DeviceOptions device{
      .path = options.source, .offset = options.source_offset, .accept_mounted = true, .accept_stale = true};
  device.open_disk = [&options] { return open_shown_disk(options); };
  if (options.superblock != 0) device.superblock.block = options.superblock;
  if (options.block_size != 0) device.superblock.block_size = options.block_size;
  return device;
}

// Throws a Complaint in e2image's words.
work::Device open_device(const Options& options) {
  try {
    return work::Device(device_options(options));
  } catch (const std::system_error& error) {
    const errcode_t reason = reason_of_library(options);
    if (error.code() == Errc::interrupted || reason == 0) throw;
    throw no_filesystem(options, reason);
  }
}

void report_losses(const Options& options, const Source& source) {
  std::uint64_t blocks = 0;
  for (const Extent& loss : source.file().losses()) {
    for (std::uint64_t i = 0; i < loss.length / source.block_size(); ++i, ++blocks) {
      if (blocks >= kMaxLines) continue;
      const std::uint64_t block = loss.offset / source.block_size() + i;
      Complaint(EIO, fmt::format("error reading block {}", block)).print(options.program);
    }
  }
  if (blocks > kMaxLines)
    Complaint(0, fmt::format("{} more blocks could not be read", blocks - kMaxLines)).print(options.program);
  if (blocks > 0) Complaint(0, "Unreadable blocks are zeros in the output").print(options.program);
}

}  // namespace

Complaint no_filesystem(const Options& options, long reason) {
  Complaint complaint(reason, "while trying to open " + options.source);
  complaint.to_stdout = "Couldn't find valid filesystem superblock.\n";
  if (reason == EXT2_ET_BAD_MAGIC) {
    const Contents contents = describe_contents(options.source);
    complaint.to_stdout += contents.file_system;
    complaint.to_stderr = contents.partition_table;
  }
  if (options.to_stdout()) std::swap(complaint.to_stdout, complaint.to_stderr);
  return complaint;
}

void check_mounts(const Options& options) {
  int flags = 0;
  const errcode_t error = ::ext2fs_check_if_mounted(options.source.c_str(), &flags);
  if (error != 0) complain(error, "checking if mounted");
  const bool read_write = (flags & EXT2_MF_MOUNTED) != 0 && (flags & EXT2_MF_READONLY) == 0;
  if (options.type == ImageType::classic || options.force || !read_write) return;
  throw Complaint(
      "\nRunning e2image on a R/W mounted filesystem can result in an\n"
      "inconsistent image which will not be useful for debugging purposes.\n"
      "Use -f option if you really want to do that.\n");
}

Source::Source(const Options& options) : device_(open_device(options)) {
  if (options.block_size != 0 && options.block_size != filesystem().superblock.block_size())
    throw no_filesystem(options, EXT2_ET_UNEXPECTED_BLOCK_SIZE);
}

int report(const Options& options, const Source& source, const ext2::Findings& findings) {
  report_losses(options, source);
  for (const auto& [finding, summary] : findings.summary())
    Complaint(0, fmt::format("{}: {}", options.source, work::text_of(finding, summary)))
        .print(options.program);
  const bool has_unknown = source.filesystem().superblock.has_unknown_features();
  if (has_unknown && !findings.summary().contains(Finding::unknown_features))
    Complaint(0, options.source + ": has unknown features; what they need may be missing")
        .print(options.program);
  const ext2::Geometry& geometry = source.filesystem().geometry;
  return !has_unknown && source.file().losses().empty() && geometry.blocks() == geometry.claimed_blocks() ? 0
                                                                                                          : 1;
}

}  // namespace e2qcow::compat
