// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <memory>
#include <optional>

#include "e2image_compat/chosen_blocks.h"
#include "e2image_compat/options.h"
#include "e2image_compat/progress.h"
#include "e2image_compat/source.h"
#include "ext2/selection/findings.h"
#include "image/extent_source.h"
#include "work/anonymize.h"

namespace e2qcow::compat {

enum class Zeros { dropped, kept };

// The chosen blocks of a file system on their way to a sink, with progress, and anonymised, if the user wants
// that.
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
    ExtentSource disk(file(), extents);
    if (progress_) progress_->start(chosen_.announced);
    copy(disk, TransferOptions{threads_, progress()});
    if (progress_) progress_->finish(chosen_.blocks());
  }

  // Reports what went wrong during the copy; returns the exit status.
  int report() const { return compat::report(options_, source_, findings_); }

 private:
  void anonymize();
  // What the blocks are read from.
  const ReadableFile& file() const {
    return anonymized_ ? anonymized_->file() : static_cast<const ReadableFile&>(source_.file());
  }

  const Options& options_;
  Source source_;
  unsigned threads_;
  ext2::Findings findings_;
  ChosenBlocks chosen_;
  std::optional<work::Survey> survey_;  // of what is anonymised
  std::optional<work::AnonymizedDump> anonymized_;
  std::optional<CopyProgress> progress_;
};

}  // namespace e2qcow::compat
