// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file/text_file.h"
#include "work/device.h"

namespace e2qcow::cli {

// A text file that a command writes in addition to its result, if requested. The constructor fails if it
// cannot be written, before the work.
class ExtraOutput {
 public:
  // An empty path: not requested. `others` are the names of the other outputs.
  ExtraOutput(const work::Device& device, const std::string& path, const std::vector<std::string>& others);

  bool is_wanted() const { return file_ != nullptr; }

  // If it is wanted: to be written.
  OutputFile& file() { return *file_; }

  // If it is wanted, once it is written.
  void commit() {
    if (file_) file_->commit(Durability::if_it_replaces);
  }

  template <typename MakeText>
  void commit(MakeText make_text) {
    if (file_) commit_text(*file_, make_text());
  }

 private:
  std::unique_ptr<OutputFile> file_;
};

}  // namespace e2qcow::cli
