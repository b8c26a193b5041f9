// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "qcow2/format/fault.h"
#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

struct Snapshot {
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_entries = 0;
  std::uint32_t seconds = 0;  // since 1970, when it was made
  std::uint64_t vm_state_bytes = 0;
  std::uint64_t disk_size = 0;  // 0: that of the image
  std::string id;               // both not checked
  std::string name;
};

// The snapshots before the first that is not valid, and the bytes they take.
struct SnapshotTable {
  std::vector<Snapshot> snapshots;
  std::uint64_t bytes = 0;
};

// Receives the problems of entries, which are numbered from 1.
using SnapshotProblem = std::function<void(std::uint32_t number, const Fault& fault)>;

SnapshotTable read_snapshots(const ReadableFile& file, const Header& header, const SnapshotProblem& problem);

}  // namespace e2qcow::qcow2
