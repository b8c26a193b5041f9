// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <cstdint>
#include <vector>

namespace e2qcow::qcow2 {

// Writes the entries of tables that follow each other in the file, in ascending order, each page once.
class TableWriter {
 public:
  // What unwritten parts of the file read as. Pages without entries need not be written over zeros.
  enum class Background { zeros, old_data };

  // The tables begin at `host_offset`. The file must outlive the writer.
  TableWriter(File& file, std::uint64_t host_offset, Background background);

  // `value` is in the processor's byte order. `host_offset` is that of the entry; it must be past all entries
  // set before.
  void set(std::uint64_t host_offset, std::uint64_t value);

  // Writes what is left; the tables end at `end`.
  void finish(std::uint64_t end);

 private:
  static constexpr std::uint64_t kPageBytes = 512;  // divides every cluster size

  std::uint64_t buffer_end() const { return offset_ + buffer_.size() * sizeof(std::uint64_t); }
  void extend_to(std::uint64_t end);
  void flush();

  File& file_;
  Background background_;
  std::uint64_t offset_;               // host, of the buffer
  std::vector<std::uint64_t> buffer_;  // as on disk, whole pages
};

}  // namespace e2qcow::qcow2
