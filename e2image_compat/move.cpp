// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/move.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "e2image_compat/block_sink.h"
#include "e2image_compat/complaint.h"
#include "e2image_compat/copy_job.h"
#include "e2image_compat/shown_disk.h"
#include "e2image_compat/target.h"
#include "work/refusals.h"

namespace e2qcow::compat {
namespace {

constexpr std::uint64_t kPieceBytes = 1 << 20;

volatile std::sig_atomic_t stop_signal = 0;

extern "C" void note_signal(int number) {
  stop_signal = 1;
  std::signal(number, SIG_DFL);
}

void guard_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, note_signal);
}

// The extents in pieces that fit in memory, in an order in which none overwrites one that is still to be
// moved.
std::vector<Extent> pieces_in_order(const std::vector<Extent>& extents, bool to_the_right) {
  std::vector<Extent> pieces;
  for (Extent rest : extents) {
    while (!rest.empty()) {
      const std::uint64_t length = std::min(rest.length, kPieceBytes);
      pieces.push_back({rest.offset, length});
      rest = {rest.offset + length, rest.length - length};
    }
  }
  if (to_the_right) std::ranges::reverse(pieces);
  return pieces;
}

class Move {
 public:
  Move(const Options& options, CopyJob& job, PosixFile& file)
      : options_(options),
        job_(job),
        file_(file),
        to_the_right_(options.target_offset > options.source_offset) {}

  void run(const ImageSource& disk) {
    std::vector<std::byte> buffer;
    for (const Extent& piece : pieces_in_order(job_.extents(Zeros::kept), to_the_right_)) {
      if (stop_signal != 0) answer_signal();
      buffer.resize(piece.length);
      disk.read(piece.offset, buffer);
      file_.write(options_.target_offset + piece.offset, buffer);
      old_place_is_whole_ = old_place_is_whole_ && !overwrites_old_place(piece);
      if (job_.progress()) job_.progress()->advance(piece.length);
    }
  }

 private:
  bool overwrites_old_place(Extent piece) const {
    const std::uint64_t begin = options_.target_offset + piece.offset;
    return begin < options_.source_offset + job_.source().size() &&
           options_.source_offset < begin + piece.length;
  }
  void answer_signal() {
    if (old_place_is_whole_) std::raise(SIGKILL);
    stop_signal = 0;
    if (job_.progress()) std::fputc('\r', stderr);
    std::fputs("Stopping now will destroy the filesystem, interrupt again if you are sure\n", stderr);
    if (job_.progress()) job_.progress()->resume();
  }

  const Options& options_;
  CopyJob& job_;
  PosixFile& file_;
  bool to_the_right_;
  bool old_place_is_whole_ = true;
};

void move(const Options& options, CopyJob& job) {
  const TargetKind kind = target_kind(options.target);
  const auto file = open_in_place(options.target, kind);
  refuse_small_device(*file, options.target_offset, job.source().size());
  guard_signals();
  Move work(options, job, *file);
  job.run({}, [&](const ImageSource& disk, const TransferOptions&) { work.run(disk); });
  const std::uint64_t end = options.target_offset + job.source().size();
  if (file->size() < end) file->resize(end);
  file->sync();
  file->close();
}

}  // namespace

int move_filesystem(const Options& options) {
  work::refuse_mounted_target(options.target);
  if (is_shown_as_disk(options)) complain(options.source + ": a file system cannot be moved in an image");
  CopyJob job(options, target_kind(options.target) == TargetKind::block_device);
  refuse_impossible_offset(options.target_offset, job.source().size());
  if (options.list_only) {
    ListSink sink(job.source().block_size(), false);
    job.run(job.extents(Zeros::kept),
            [&](const ImageSource& disk, const TransferOptions& how) { transfer(disk, sink, how); });
  } else {
    move(options, job);
  }
  return job.report();
}

}  // namespace e2qcow::compat
