// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/write_raw.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/extents.h"
#include "base/file/output_file.h"
#include "base/file/output_stream.h"
#include "e2image_compat/block_sink.h"
#include "e2image_compat/copy_job.h"
#include "e2image_compat/target.h"
#include "work/refusals.h"

namespace e2qcow::compat {
namespace {

constexpr std::uint32_t kMinHole = 4096;  // in a new file

// Zeros are left out if the target is known to have them.
Zeros zeros_for(TargetKind kind) {
  return kind == TargetKind::nothing ? Zeros::dropped : Zeros::kept;
}

void list(CopyJob& job, TargetKind kind) {
  const Zeros zeros = zeros_for(kind);
  ListSink sink(job.source().block_size(), zeros == Zeros::dropped);
  job.run(job.extents(zeros),
          [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, sink, how); });
}

void write_to_stream(const Options& options, CopyJob& job) {
  const UniqueFd named = options.to_stdout() ? UniqueFd() : open_stream_for_writing(options.target);
  OutputStream out = options.to_stdout() ? standard_output() : OutputStream(named.get(), options.target);
  DiskStreamSink sink(out, job.source().block_size(), job.source().size());
  job.run(job.extents(Zeros::dropped),
          [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, sink, how); });
}

void write_new_file(const Options& options, CopyJob& job) {
  const auto output = open_output(options.target);
  const std::vector<Extent> extents = job.extents(Zeros::dropped);
  output->file().expect_writes(total_length(extents));
  BlockSink sink(output->file(), {.block_size = std::max(kMinHole, job.source().block_size()),
                                  .offset = options.target_offset,
                                  .drops_zeros = true});
  job.run(extents, [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, sink, how); });
  // The last unit that was written may reach past the end of the disk.
  output->file().resize(options.target_offset + job.source().size());
  output->commit(Durability::if_it_replaces);
}

// As e2image leaves it: the file is truncated at the end of the disk if the disk's last block was not
// written. But with an offset the file is a larger disk, and is never truncated.
void set_size(const Options& options, const CopyJob& job, PosixFile& file) {
  const std::uint64_t end = options.target_offset + job.source().size();
  const bool cut = options.target_offset == 0 && !job.chosen().contains(job.source().blocks() - 1);
  if (cut || file.size() < end) file.resize(end);
}

void write_in_place(const Options& options, CopyJob& job, TargetKind kind) {
  const Extent part{options.target_offset, job.source().size()};
  work::refuse_overwriting({options.target, stored_ranges(options.target, part)}, job.source().stored());
  work::refuse_mounted_target(options.target);
  const bool is_device = kind == TargetKind::block_device;
  const auto file = open_in_place(options.target, kind);
  refuse_small_device(*file, options.target_offset, job.source().size());
  BlockSink sink(*file, {.block_size = job.source().block_size(),
                         .offset = options.target_offset,
                         .skips_same = options.compare});
  job.run(job.extents(Zeros::kept),
          [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, sink, how); });
  if (!is_device) set_size(options, job, *file);
  file->sync();
  file->close();
  if (options.compare)
    std::printf("%llu blocks already contained the data to be copied\n",
                static_cast<unsigned long long>(sink.skipped_blocks()));
}

}  // namespace

int write_raw(const Options& options) {
  const TargetKind kind = target_kind(options.target);
  CopyJob job(options, kind == TargetKind::block_device);
  refuse_impossible_offset(options.target_offset, job.source().size());
  if (options.list_only)
    list(job, kind);
  else if (is_stream(kind))
    write_to_stream(options, job);
  else if (kind == TargetKind::nothing)
    write_new_file(options, job);
  else
    write_in_place(options, job, kind);
  return job.report();
}

}  // namespace e2qcow::compat
