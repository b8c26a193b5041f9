// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <memory>
#include <optional>

#include "e2image_compat/chosen_blocks.h"
#include "e2image_compat/options.h"
#include "e2image_compat/progress.h"
#include "e2image_compat/scramble.h"
#include "e2image_compat/source.h"
#include "ext2/selection/findings.h"
#include "image/extent_source.h"

namespace e2qcow::compat {

enum class Zeros { dropped, kept };

// The chosen blocks of a file system on their way to a sink, with progress and scrambled names if the user
// wants them.
class CopyJob {
 public:
  // Chooses the blocks. `options` must outlive the job.
  CopyJob(const Options& options, bool target_is_block_device);

  const Source& source() const { return source_; }
  const ChosenBlocks& chosen() const { return chosen_; }
  CopyProgress* progress() { return progress_ ? &*progress_ : nullptr; }

  // The extents that are copied; with Zeros::dropped, without the holes of the source.
  std::vector<Extent> extents(Zeros zeros) const;

  // Calls `copy(ImageSource&, TransferOptions)` with the disk to copy.
  template <typename Copy>
  void run(const std::vector<Extent>& extents, Copy copy) {
    ExtentSource disk(source_.file(), extents);
    if (progress_) progress_->start(chosen_.announced);
    if (options_.scramble) {
      ScrambledSource scrambled(disk, directories_, source_.block_size(),
                                options_.to_stdout() ? stderr : stdout);
      copy(scrambled, TransferOptions{1, progress()});
    } else {
      copy(disk, TransferOptions{threads_, progress()});
    }
    if (progress_) progress_->finish(chosen_.blocks());
  }

  // Reports what went wrong during the copy; returns the exit status.
  int report() const { return compat::report(options_, source_, findings_); }

 private:
  const Options& options_;
  Source source_;
  unsigned threads_;
  ext2::Findings findings_;
  ChosenBlocks chosen_;
  DirectoryBlocks directories_;
  std::optional<CopyProgress> progress_;
};

}  // namespace e2qcow::compat
