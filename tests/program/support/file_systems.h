// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/program/support/support.h"

namespace e2qcow::test {

// In every block of file contents, and nowhere else.
inline constexpr const char* kMarker = "THESE-ARE-CONTENTS-OF-A-FILE";

// The first difference between the outcomes of two programs; empty if there is none. Whole listings in a
// failure's message would hide it.
std::string first_difference(const Outcome& ours, const Outcome& theirs);

struct FileSystemOptions {
  Words mke2fs = {"-t", "ext4"};
  std::string size = "32M";
  Words debugfs = {};  // commands that give it what mke2fs cannot
  Words tune2fs = {};  // options that change it at the end
};

// A file system with files of all kinds in disk.img.
class FileSystemTest : public IntegrationTest {
 protected:
  // In a run of ctest, those with the same options are copies of one.
  void make_file_system(const FileSystemOptions& options = {}) const;
  void debugfs_write(const Words& commands) const;  // changes disk.img

  // What a line of dumpe2fs's header says, as "Block count".
  std::string header_field(const std::string& field) const;
  std::uint64_t block_size() const { return std::stoull(header_field("Block size")); }
  // The first block of a file, by debugfs.
  std::uint64_t first_block_of(const std::string& file) const;

  // The file `raw` equals disk.img for programs that look only at metadata.
  void expect_same_metadata(const std::string& raw) const;
  // e2fsck, which runs with these options on copies, says and does the same with `raw` as with disk.img.
  void expect_checked_alike(const std::string& raw, const Words& options) const;
  // Dumps of disk.img, of metadata and of everything, are restored to ours.raw, which the judges find equal
  // to disk.img, also when they repair it.
  void expect_dumps_are_judged_alike(const Words& dump_options = {}) const;
  // All blocks of disk.img that dumpe2fs does not name free are the same in `raw`.
  void expect_same_blocks_in_use(const std::string& raw) const;
  // The files the file system was made of come out of `raw` again.
  void expect_same_files(const std::string& raw) const;

 private:
  void make_tree() const;
  void make_anew(const FileSystemOptions& options) const;
  std::vector<bool> free_blocks() const;
};

}  // namespace e2qcow::test
