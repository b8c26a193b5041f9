// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/file/output_file.h"
#include "ext2/anonymize/anonymized_file.h"
#include "work/device.h"
#include "work/survey.h"

namespace e2qcow::work {

// The secret in a key file; or if there is none, a new secret, and a file with it for its owner alone, which
// has no name before it is committed.
class KeyFile {
 public:
  explicit KeyFile(const std::string& path);
  const ext2::Secret& secret() const { return secret_; }
  void commit();

 private:
  std::unique_ptr<OutputFile> new_file_;  // null: there was one
  ext2::Secret secret_;
};

struct AnonymizeOptions {
  ext2::Secret secret;
  ext2::Strictness strictness = ext2::Strictness::plain;
};

// What an anonymised dump is made of, instead of the device and what is selected of it.
class AnonymizedDump {
 public:
  // Both must outlive it. The survey has the roles of blocks. Throws Errc::not_ext2 if there is no file
  // system.
  AnonymizedDump(const Device& device, const Survey& survey, const AnonymizeOptions& options,
                 unsigned threads);

  const ReadableFile& file() const { return file_; }
  const std::vector<Extent>& extents() const { return extents_; }
  const ext2::Anonymizer& anonymizer() const { return anonymizer_; }
  std::array<ext2::Tally, kBlockClasses> tallies() const { return file_.tallies(); }

 private:
  ext2::Anonymizer anonymizer_;
  ext2::AnonymizedFile file_;
  std::vector<Extent> extents_;
};

// Writes the old and new names of all files, and does not commit: a line for each has the inode, the inode of
// the directory, the new name and the old one, separated by tabs. What is not printable in a name is \xNN.
void write_name_map(const AnonymizedDump& dump, const Survey& survey, OutputFile& file);

}  // namespace e2qcow::work
