// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "base/durability.h"
#include "base/file/posix_file.h"

namespace e2qcow {

// A file that appears under its name only when it is complete: it is written without a name (or beside its
// name, if the file system needs that) and renamed by commit(). Until then an existing file of that name
// stays as it is. A block device is written in place. Only the owner can read a new file, because its
// contents come from a whole disk; a file that is replaced passes on its permissions.
// A file that QEMU has open, or that another program of ours writes, is not replaced (Errc::in_use).
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  PosixFile& file() { return *file_; }
  // The directory in which it is made.
  std::string directory() const;
  bool is_block_device() const { return file_->is_block_device(); }

  // Without a sync a new file may be lost in a power failure, as with every program that writes files. A file
  // that is replaced must not be lost: the new one is synced first with Durability::if_it_replaces, too.
  void commit(Durability durability);

 private:
  void create_beside();
  void give_name();
  bool appear();
  void replace();

  std::string path_;       // the final name, symbolic links resolved
  std::string temporary_;  // empty while the file has no name
  bool replaces_ = false;
  std::unique_ptr<PosixFile> file_;
};

}  // namespace e2qcow
