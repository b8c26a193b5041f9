// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace e2qcow::compat {

enum class ImageType { classic, raw, qcow2 };

// The options of the command line; the letters are e2image's.
struct Options {
  std::string program;
  ImageType type = ImageType::classic;  // -r, -Q
  bool all_data = false;                // -a
  bool force = false;                   // -f
  bool install = false;                 // -I
  bool anonymize = false;               // -s
  bool list_only = false;               // -n
  bool progress = false;                // -p
  bool compare = false;                 // -c
  std::uint64_t superblock = 0;         // -b, 0: the primary
  std::uint32_t block_size = 0;         // -B, 0: not said
  std::uint64_t source_offset = 0;      // -o
  std::uint64_t target_offset = 0;      // -O
  std::string source;
  std::string target;
  bool move = false;  // moves the file system in `source` to another offset there

  bool to_stdout() const { return target == "-"; }
};

// A usage error: the usage must be shown.
struct UsageError {};

// Throws UsageError, or a Complaint for options that do not go together.
Options parse_options(int argc, char** argv);

std::string usage(const std::string& program);

}  // namespace e2qcow::compat
