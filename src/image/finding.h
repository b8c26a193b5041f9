// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace e2qcow {

// What may be wrong with a file system. The numbers are written into images: append, never change.
enum class Finding : std::uint8_t {
  bad_extent_node = 0,       // its header or entries are invalid
  block_out_of_range = 1,    // a pointer to a block outside the file system
  bad_block_bitmap = 2,      // its checksum is wrong
  bad_group_descriptor = 3,  // it names blocks outside the file system
  short_device = 4,          // it ends before the file system does
  backup_superblock = 5,     // the primary superblock was not used
  no_superblock = 6,         // none was found
  overlapping_tables = 7,    // the inode tables of two groups share blocks
  repaired_superblock =
      8,                  // the primary has an impossible number of inodes per group, and no backup was found
  mounted = 9,            // read-write while it was dumped
  unknown_features = 10,  // that may mean structures this version does not know
  missing_journal = 11,   // on another device, and not replayed
};

struct FindingText {
  std::string_view name;  // for programs: append, never change
  std::string_view text;
  std::string_view action;  // what the dump did
};

constexpr FindingText finding_text(Finding finding) {
  switch (finding) {
    case Finding::bad_extent_node:
      return {"bad-extent-node", "invalid extent node", "kept, not followed"};
    case Finding::block_out_of_range:
      return {"block-out-of-range", "pointer to a block outside the file system", "not followed"};
    case Finding::bad_block_bitmap:
      return {"bad-block-bitmap", "block bitmap with a wrong checksum", "kept; its group counts as in use"};
    case Finding::bad_group_descriptor:
      return {"bad-group-descriptor", "group descriptor with tables outside the file system",
              "kept, not followed"};
    case Finding::short_device:
      return {"short-device", "device shorter than its file system", "the missing part becomes zeros"};
    case Finding::backup_superblock:
      return {"backup-superblock", "backup superblock used", "geometry taken from the backup"};
    case Finding::no_superblock:
      return {"no-superblock", "no superblock found", "whatever else is recognised is kept"};
    case Finding::overlapping_tables:
      return {"overlapping-inode-tables", "inode tables overlap", "each block is read for one group only"};
    case Finding::repaired_superblock:
      return {"repaired-superblock", "superblock with a wrong number of inodes per group, and no backup",
              "kept; number of inodes per group recomputed"};
    case Finding::mounted:
      return {"mounted", "mounted read-write while it was dumped", "read as it was at each moment"};
    case Finding::unknown_features:
      return {"unknown-features", "features that this version does not know",
              "what is known of the file system is kept"};
    case Finding::missing_journal:
      return {"missing-journal", "journal on another device, not replayed", "not in the image"};
  }
  return {"unknown", "a finding that this version does not know", ""};
}

// Whether a dump with this finding may lack something that it should have.
constexpr bool leaves_doubt(Finding finding) {
  return finding == Finding::mounted || finding == Finding::unknown_features ||
         finding == Finding::missing_journal;
}

}  // namespace e2qcow
