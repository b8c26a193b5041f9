// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "ext2/names/affected_files.h"
#include "image/block_class.h"
#include "work/image.h"

namespace e2qcow::work {

// What the digests of an image say.
enum class Verdict {
  whole,         // all is as it was written
  opened_since,  // the same, but another program has opened it for writing
  differs,       // it is damaged; or, if its tables are as they were written, `qemu-img commit` changed it
  changed,       // another program changed it
  no_digests,    // it has none, or none that can be believed
};

struct VerifyResult {
  std::string image{};
  Verdict verdict = Verdict::no_digests;
  std::string why{};                   // for the user; empty if it is whole
  std::optional<DigestKind> digest{};  // absent: it has none
  std::uint64_t clusters = 0;          // that were compared
  std::uint64_t cluster_size = 0;
  std::vector<Extent> differences{};  // guest bytes, whole clusters; ascending, not touching
  // If there is a file system: how many of these clusters hold blocks of a class, and the files they belong
  // to.
  std::vector<std::pair<BlockClass, std::uint64_t>> classes{};
  std::vector<ext2::AffectedFile> files{};
};

// The files of an image and its backing files, opened and not read yet. Names in images open nothing.
class VerifyFiles {
 public:
  // See ImageOptions; neither standard input nor external data files.
  explicit VerifyFiles(const ImageOptions& options);

  // The image, and then each backing file that is an image. Throws Errc::not_qcow2, and errors of the system.
  std::vector<VerifyResult> verify(const TransferOptions& transfer) &&;

 private:
  ImageOptions options_;
  std::vector<std::unique_ptr<ReadableFile>> files_;  // from the top down
  bool is_raw_at_the_bottom_ = false;
};

}  // namespace e2qcow::work
