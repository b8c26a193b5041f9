// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <memory>
#include <string>

#include "base/file/output_stream.h"
#include "base/file/posix_file.h"
#include "e2image_compat/options.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/reader.h"

namespace e2qcow::compat {

// Whether a qcow2 image begins there, of whatever version.
bool is_qcow2(const ReadableFile& file);

// A qcow2 image to restore. Nothing is believed of it that was not checked.
class RestoreInput {
 public:
  // `file` must outlive it. Throws, as Reader does, and Errc::refused for a file that looks like an ext2/3/4
  // file system, too, or Errc::unsupported for one that needs a backing file.
  explicit RestoreInput(const ReadableFile& file);

  qcow2::Chain& disk() { return *chain_; }
  std::uint64_t data_bytes() const { return data_bytes_; }

 private:
  std::unique_ptr<qcow2::Reader> reader_;
  std::unique_ptr<qcow2::Chain> chain_;
  std::uint64_t data_bytes_;
};

// The whole disk to a target that is written in place: the range is cleared where the image has zeros, and
// what is around it stays. A file grows where it is too short; a device that is too short is an error.
void restore_in_place(RestoreInput& input, PosixFile& target, std::uint64_t offset);
// To a regular file that has nothing in it. `durability` says whether the caller syncs it in the end.
enum class Durability { as_files_are, synced };
void restore_to_empty_file(RestoreInput& input, PosixFile& target, Durability durability);
void restore_to_stream(RestoreInput& input, OutputStream& target);

// e2image -r IMAGE.qcow2. Returns the exit status.
int restore(const Options& options);

}  // namespace e2qcow::compat
