// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "image/base_disk.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/digest_table.h"

namespace e2qcow::qcow2 {

// The disk of a chain, of which digests tell what it holds. QEMU writes into plain clusters without a trace
// in the tables, and never into compressed ones: a digest is believed of a compressed cluster alone, and a
// plain one is read. One that is not as it was written, or cannot be decoded, counts as unknown.
class KnownDisk : public BaseDisk {
 public:
  // All must outlive it. Digests count of images whose tables are as they were written. If they are not
  // `believed`, all data is read.
  KnownDisk(const Chain& chain, std::span<const std::unique_ptr<Reader>> images, bool believed);

  std::vector<bool> find_known(std::uint64_t guest_offset, std::span<const std::byte> contents,
                               std::uint64_t unit) const override;

  // Names of the images whose digests should count, but are gone, or whose tables are others: they are
  // damaged or were committed into.
  const std::vector<std::string>& doubtful() const { return doubtful_; }

 private:
  // Units that lie in one layer, and are stored there in one way; or one unit alone.
  struct Run {
    std::uint64_t guest_offset;
    std::span<const std::byte> contents;
    std::uint64_t unit;
    Chain::LayerMapping found;
  };
  Run run_at(std::uint64_t guest_offset, std::span<const std::byte> contents, std::uint64_t unit) const;
  std::optional<bool> is_known_unread(const Run& run, std::size_t at) const;
  void add_known(const Run& run, std::vector<bool>& known) const;
  // Absent if it cannot be decoded.
  std::optional<std::vector<std::byte>> read(const Run& run) const;
  const DigestTable* table_of(const Run& run) const;

  const Chain& chain_;
  bool believed_;
  std::vector<const Reader*> images_;
  std::vector<std::string> doubtful_;
  std::vector<std::unique_ptr<DigestTable>> tables_;  // by depth; null: there is none that counts
};

}  // namespace e2qcow::qcow2
