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

  // Counts the references to an L1 table and to the L2 tables it points to. The active one comes first, then
  // those of snapshots.
  void add_l1_table(const L1Table& table);

  // Counts the references to data, after all L1 tables were added.
  void add_l2_tables();

 private:
  struct L2Table {
    std::uint64_t host_offset;
    std::uint64_t guest_offset;
    std::uint32_t snapshot;  // the first that has it
  };

  void add_l2_table(L1Entry entry, const Origin& origin);
  void check_copied(bool copied, std::uint64_t host_offset, const Origin& origin);
  void report_duplicates(std::vector<std::uint64_t>& l2_offsets, const Origin& origin);
  void add_entries(const L2Table& table, std::span<const std::byte> bytes);
  // `references`: to the entry's table.
  void add_entry(const ClusterEntry& entry, std::uint64_t references, const Origin& origin);
  void add_external(L2Entry entry, const Origin& origin);
  void add_standard(L2Entry entry, std::uint64_t references, const Origin& origin);
  void add_compressed(L2Entry entry, std::uint64_t references, const Origin& origin);
  std::uint64_t disk_bytes(const Origin& origin) const;
  void count_statistics(std::span<const std::byte> table);

  ImageCheck& image_;
  std::vector<L2Table> l2_tables_;
};

}  // namespace e2qcow::qcow2
