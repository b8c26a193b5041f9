// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file/output_file.h"
#include "nbd/options.h"

namespace e2qcow::work {

// What a disk is restored to: a file, which appears when it is complete; or a block device or a disk on a
// server, whose contents are replaced in place.
class RestoreTarget {
 public:
  RestoreTarget(const std::string& name, const nbd::Options& remote);

  File& file() { return remote_ ? *remote_ : static_cast<File&>(local_->file()); }
  bool is_in_place() const { return remote_ || local_->is_block_device(); }
  bool is_remote() const { return remote_ != nullptr; }
  // In which it gets its name; none if it is in place.
  std::vector<std::string> naming_directories() const;

  // When everything is written.
  void commit();

 private:
  std::unique_ptr<File> remote_;     // null: it is local
  std::optional<OutputFile> local_;  // absent: it is remote
};

}  // namespace e2qcow::work
