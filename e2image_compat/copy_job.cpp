// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/copy_job.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/file/data_cursor.h"

namespace e2qcow::compat {

CopyJob::CopyJob(const Options& options, bool target_is_block_device)
    : options_(options), source_(options), threads_(std::max(1U, std::thread::hardware_concurrency())) {
  if (options.progress) {
    std::fputs("Scanning inodes...\n", stderr);
    progress_.emplace(source_.block_size());
  }
  const WalkOptions walk{.kind = options.all_data ? DumpKind::all : DumpKind::metadata,
                         .whole_inode_tables = target_is_block_device};
  chosen_ = choose_blocks(source_.filesystem(), walk, threads_, findings_);
  if (options.scramble) directories_ = find_directories(source_.filesystem());
}

std::vector<Extent> CopyJob::extents(Zeros zeros) const {
  const bool whole_blocks = zeros == Zeros::kept || options_.scramble;
  if (whole_blocks) return chosen_.extents(source_.block_size());
  const ReadableFile& disk = source_.file();
  return data_in(disk, ext2::extents_of(chosen_.runs, source_.block_size(), disk.size()).extents);
}

}  // namespace e2qcow::compat
