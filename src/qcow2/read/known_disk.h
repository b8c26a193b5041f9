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
// plain one is read. One that is not as it was written counts as unknown.
class KnownDisk : public BaseDisk {
 public:
  // All must outlive it. Digests count of images whose tables are as they were written. If they are not
  // `believed`, all data is read.
  KnownDisk(const Chain& chain, std::span<const std::unique_ptr<Reader>> images, bool believed);

  bool has(std::uint64_t guest_offset, std::span<const std::byte> contents) const override;

 private:
  const DigestTable* table_of(const Chain::LayerMapping& found, std::uint64_t cluster_size) const;
  bool reads_as(std::uint64_t guest_offset, std::span<const std::byte> contents) const;

  const Chain& chain_;
  bool believed_;
  std::vector<const Reader*> images_;
  std::vector<std::unique_ptr<DigestTable>> tables_;  // by depth; null: there is none that counts
};

}  // namespace e2qcow::qcow2
