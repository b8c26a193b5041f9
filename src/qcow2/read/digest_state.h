// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "qcow2/read/digest_table.h"
#include "qcow2/read/reader.h"

namespace e2qcow::qcow2 {

// What the digests of an image say before any data of it is read.
struct DigestState {
  std::optional<DigestPlace> place{};    // absent: the image has none
  std::optional<DigestSeal> seal{};      // absent: it was overwritten or cut off, or is damaged
  std::unique_ptr<DigestTable> table{};  // null: the same is true of the table
  // Whether no program that does not know us has opened the image for writing since. `qemu-img commit` into
  // it leaves no trace here.
  bool is_marked = false;
  // Known if there is a seal:
  bool header_is_as_written = false;
  bool mapping_is_as_written = false;
  bool refcounts_are_as_written = false;

  bool tables_are_as_written() const {
    return header_is_as_written && mapping_is_as_written && refcounts_are_as_written;
  }
};
DigestState read_digest_state(const Reader& image);

// Makes the image check what is read of it, if its digests must be right unless it is damaged. Returns why it
// cannot, for the user; empty if it can, or if there is no reason to expect it.
std::string check_contents(Reader& image);

// The same for an image that comes from a pipe, and whose digests come last.
class StreamCheck {
 public:
  // Reads the tables again. The image must outlive it.
  explicit StreamCheck(Reader& image);

  // From now on each stored cluster is read once, as a whole.
  void begin();
  // Throws Errc::wrong_digest if what was read since is not what was written. Returns why that is not known;
  // empty if it is, or if there is no reason to expect it.
  std::string finish() const;

 private:
  Reader& image_;
  std::optional<DigestPlace> place_;  // absent: nothing is checked
  std::optional<Digest> header_;
  std::optional<Digest> mapping_;
  const SetCheck* check_ = nullptr;  // belongs to the image
};

}  // namespace e2qcow::qcow2
