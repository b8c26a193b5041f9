// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/finding.h"

namespace e2qcow {

enum class DumpKind : std::uint8_t {
  metadata = 0,
  all = 1,        // blocks in use; if nobody knows which these are, all blocks
  signatures = 2  // no file system was found: only what identifies the device
};

constexpr std::string_view kind_name(DumpKind kind) {
  return kind == DumpKind::all ? "all" : kind == DumpKind::metadata ? "metadata" : "signatures";
}

// In what state the file system was while it was read. The numbers are written into images: append, never
// change.
enum class CaptureState : std::uint8_t {
  at_rest = 0,        // not mounted, or read-only
  frozen = 1,         // nothing was written to it
  snapshot = 2,       // of a copy that does not change
  power_failure = 3,  // as a power failure would have left it: its journal makes it whole
  unchanged = 4,      // it was read twice, with the same result
  changed = 5,        // while it was read
  thawed_early = 6,   // it was frozen, but not to the end
};

// The record of an image of ours about its own dump.
struct DumpRecord {
  struct ClassBytes {
    std::uint8_t block_class;  // the number of a BlockClass; a later version may have more of them
    std::uint64_t bytes;
    friend bool operator==(const ClassBytes&, const ClassBytes&) = default;
  };

  DumpKind kind = DumpKind::metadata;
  std::string program_version;
  std::array<std::uint8_t, 16> filesystem_uuid{};
  std::uint32_t block_size = 0;
  std::vector<ClassBytes> classes;  // what was selected, zeros included
  std::uint64_t lost_bytes = 0;     // could not be read and are zeros in the image
  std::uint64_t inconsistencies = 0;
  // False if the header was written before the data was read (to a pipe).
  bool losses_known = true;

  struct FindingCount {
    std::uint8_t finding;  // the number of a Finding; a later version may have more of them
    std::uint64_t count;
    friend bool operator==(const FindingCount&, const FindingCount&) = default;
  };
  std::vector<FindingCount> findings;  // the inconsistencies by kind
  // What lies from here to the end of the disk is after the file system, and was not looked at.
  std::optional<std::uint64_t> end{};
  // If names and other texts were replaced: what tells whether two dumps used the same key.
  std::optional<std::array<std::uint8_t, 8>> anonymized_with{};
  bool is_strictly_anonymized = false;  // if so, UUIDs, owners and times were replaced as well
  CaptureState capture = CaptureState::at_rest;
  // The same in the images of a file system and of its journal that were made together: a random number.
  using Pair = std::array<std::uint8_t, 16>;
  std::optional<Pair> pair{};
  // Of qcow2. An image of version 3 was marked as unchanged since the dump. 0: written by version 0.1,
  // unmarked.
  std::uint8_t image_version = 0;

  // The first finding that leaves doubt, if there is one.
  std::optional<Finding> doubt() const {
    for (const auto& [finding, count] : findings)
      if (leaves_doubt(static_cast<Finding>(finding))) return static_cast<Finding>(finding);
    return std::nullopt;
  }
  bool complete() const {
    return kind != DumpKind::signatures && losses_known && lost_bytes == 0 && !doubt();
  }

  friend bool operator==(const DumpRecord&, const DumpRecord&) = default;
};

}  // namespace e2qcow
