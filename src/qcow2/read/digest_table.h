// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "qcow2/format/digest_seal.h"
#include "qcow2/read/table_cache.h"

namespace e2qcow::qcow2 {

// The seal of an image's digests; absent if it is not as it was written, or if the file ends before the table
// does. It says nothing about the table yet.
std::optional<DigestSeal> read_seal(const ReadableFile& file, const DigestPlace& place, const Header& header);

// The digests of an image's clusters. Safe from several threads.
class DigestTable {
 public:
  // Reads all of it. Null if it is not as it was written. `file` must outlive it.
  static std::unique_ptr<DigestTable> open(const ReadableFile& file, const DigestPlace& place,
                                           const DigestSeal& seal);

  DigestKind kind() const { return seal_.kind; }
  std::uint64_t clusters() const { return seal_.clusters; }
  // Of the contents of a cluster; absent if the table has none for it.
  std::optional<Digest> find(std::uint64_t cluster) const;

  // Clusters that follow each other and have digests.
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t index = 0;  // of its first digest
    std::uint64_t end() const { return first + count; }
    bool has(std::uint64_t cluster) const { return cluster >= first && cluster - first < count; }
  };
  // The run with the cluster, or the first after it; absent if there is none.
  std::optional<Run> next_run(std::uint64_t cluster) const;

 private:
  DigestTable(const ReadableFile& file, const DigestPlace& place, const DigestSeal& seal);
  bool is_as_written() const;
  bool runs_ascend() const;
  Run run(std::uint64_t number) const;
  std::uint64_t run_before(std::uint64_t cluster) const;
  std::optional<Run> run_with(std::uint64_t cluster) const;
  void read(std::uint64_t position, std::span<std::byte> out) const;

  const ReadableFile& file_;
  DigestSeal seal_;
  std::uint64_t host_offset_;  // of the table
  TableCache pages_;
  mutable std::mutex mutex_;  // guards the next
  mutable Run recent_;
};

}  // namespace e2qcow::qcow2
