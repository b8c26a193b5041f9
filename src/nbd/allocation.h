// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "nbd/request.h"

namespace e2qcow::nbd {

// Reads the descriptors of base:allocation, lengths and flags by turns, that a server sends for the range
// from `offset` on. Returns what is wrong with them; empty if nothing is.
std::string read_allocation(std::uint64_t offset, std::span<const std::uint32_t> entries,
                            Allocation& allocation);

// The last answers of a server; several, because readers and read-ahead ask in turns. Safe from several
// threads.
class KnownAllocation {
 public:
  void add(Allocation allocation);
  // After a change of the disk.
  void forget();

  // The first data at or after the offset, as far as that is known: until `until`, if it is none.
  struct Found {
    std::optional<Extent> data;
    std::uint64_t until;
  };
  std::optional<Found> find(std::uint64_t offset) const;

 private:
  mutable std::mutex mutex_;            // guards what follows
  std::array<Allocation, 16> answers_;  // 64 GiB of a disk, as a rule
  std::size_t next_ = 0;
};

}  // namespace e2qcow::nbd
