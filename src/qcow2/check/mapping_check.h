// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "qcow2/check/image_check.h"

namespace e2qcow::qcow2 {

// L1 and L2 tables. An L2 table that several L1 tables share is read once and counts as often as it is
// referenced.
class MappingCheck {
 public:
  explicit MappingCheck(ImageCheck& image) : image_(image) {}

  // Counts the references to an L1 table and to the L2 tables it points to: the active one (snapshot 0)
  // first, then those of snapshots (from 1).
  void add_l1_table(std::uint64_t host_offset, std::uint32_t entries, std::uint32_t snapshot);

  // Counts the references to data, when all L1 tables are there.
  void add_l2_tables();

 private:
  struct L2Table {
    std::uint64_t host_offset;
    std::uint32_t l1_index;
    std::uint32_t snapshot;  // the first in which it is found
  };
  struct Place {  // of an L2 entry
    Origin origin;
    std::uint64_t references;  // to its table
  };

  void add_l2_table(L1Entry entry, std::uint32_t l1_index, std::uint32_t snapshot);
  void check_copied(bool copied, std::uint64_t host_offset, const Origin& origin);
  void report_duplicates(std::vector<std::uint64_t>& l2_offsets, const Origin& origin);
  void add_entries(const L2Table& table, std::span<const std::byte> bytes);
  void check_subclusters(L2Entry entry, Subclusters subclusters, const Place& place);
  void add_entry(L2Entry entry, const Place& place);
  void add_standard(L2Entry entry, const Place& place);
  void add_compressed(L2Entry entry, const Place& place);
  std::uint64_t needed_bytes(L2Entry entry, const Origin& origin) const;
  void count_statistics(std::span<const std::byte> table);

  ImageCheck& image_;
  std::vector<L2Table> l2_tables_;
};

}  // namespace e2qcow::qcow2
