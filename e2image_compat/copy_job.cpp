// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/copy_job.h"

#include <algorithm>
#include <cstdio>

#include "base/file/data_cursor.h"
#include "base/process/cores.h"

namespace e2qcow::compat {

CopyJob::CopyJob(const Options& options, bool target_is_block_device)
    : options_(options), source_(options), threads_(usable_cores()) {
  if (options.progress) {
    std::fputs("Scanning inodes...\n", stderr);
    progress_.emplace(source_.block_size());
  }
  const WalkOptions walk{.kind = options.all_data ? DumpKind::all : DumpKind::metadata,
                         .whole_inode_tables = target_is_block_device};
  chosen_ = choose_blocks(source_.filesystem(), walk, threads_, findings_);
  if (options.anonymize) anonymize();
}

void CopyJob::anonymize() {
  survey_.emplace(work::survey(source_.device(), {.transfer = {.threads = threads_}, .find_roles = true}));
  anonymized_.emplace(source_.device(), *survey_, work::AnonymizeOptions{ext2::Secret::random()}, threads_);
}

std::vector<Extent> CopyJob::extents(Zeros zeros) const {
  const bool whole_blocks = zeros == Zeros::kept || options_.anonymize;
  if (whole_blocks) return chosen_.extents(source_.block_size());
  const ReadableFile& disk = source_.file();
  return data_in(disk, ext2::extents_of(chosen_.runs, source_.block_size(), disk.size()).extents);
}

}  // namespace e2qcow::compat
