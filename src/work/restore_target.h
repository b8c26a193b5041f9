// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file/output_file.h"
#include "nbd/options.h"

namespace e2qcow::work {

// What a disk is restored to: a file, which appears when it is complete; or what is replaced in place: a
// block device, a disk on a server, or an existing file that is updated.
class RestoreTarget {
 public:
  RestoreTarget(const std::string& name, const nbd::Options& remote, bool updates = false);

  File& file();
  bool is_in_place() const { return remote_ || updated_ || local_->is_block_device(); }
  bool is_file() const { return !is_in_place() || updated_; }
  bool is_remote() const { return remote_ != nullptr; }
  // In which it gets its name; none if it is in place.
  std::vector<std::string> naming_directories() const;

  // When everything is written.
  void commit();

 private:
  // One of them:
  std::unique_ptr<File> remote_;
  std::unique_ptr<File> updated_;
  std::optional<OutputFile> local_;
};

}  // namespace e2qcow::work
