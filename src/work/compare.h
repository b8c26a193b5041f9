// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <optional>
#include <string>
#include <vector>

#include "work/differences.h"
#include "work/disk.h"

namespace e2qcow::work {

struct CompareResult {
  std::uint64_t size_a = 0;
  std::uint64_t size_b = 0;
  std::optional<std::uint64_t> first_difference;  // a guest offset
  std::string structure;                          // what is there, in an ext file system
  std::vector<std::string> partial;  // names of the disks that are metadata-only dumps, if they differ
  std::optional<Differences> list;   // if it was asked for and they differ
  std::string dump;  // the name of the dump that only what it holds was compared of; empty: everything was
};

// What of the disks counts.
enum class CompareWhat {
  what_a_dump_holds,  // if one of them is a dump, and the other is not: free blocks of its source have old
                      // contents
  everything
};

// How much is said of what differs.
enum class CompareDepth { first_difference, all };

// The smaller disk counts as zeros past its end. The files are open but not read yet. The images of `a` take
// their external data files first; Errc::surplus_data_file if one is left in the end.
CompareResult compare(DiskFiles a, DiskFiles b, qcow2::DataFiles data_files, CompareWhat what,
                      CompareDepth depth, const TransferOptions& options);

}  // namespace e2qcow::work
