// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/known_disk.h"

#include <algorithm>

#include "base/bytes.h"
#include "qcow2/read/digest_state.h"

namespace e2qcow::qcow2 {

KnownDisk::KnownDisk(const Chain& chain, std::span<const std::unique_ptr<Reader>> images, bool believed)
    : chain_(chain), believed_(believed) {
  for (const auto& image : images) {
    DigestState state = read_digest_state(*image);
    const bool counts = state.is_marked && state.header_is_as_written && state.mapping_is_as_written;
    images_.push_back(image.get());
    tables_.push_back(counts ? std::move(state.table) : nullptr);
  }
}

const DigestTable* KnownDisk::table_of(const Chain::LayerMapping& found, std::uint64_t cluster_size) const {
  if (found.depth >= images_.size() || images_[found.depth]->read_unit() != cluster_size) return nullptr;
  return tables_[found.depth].get();
}

bool KnownDisk::reads_as(std::uint64_t guest_offset, std::span<const std::byte> contents) const {
  std::vector<std::byte> bytes(contents.size());
  const std::uint64_t inside = chain_.size() - std::min(chain_.size(), guest_offset);
  chain_.read(guest_offset, std::span(bytes).first(std::min<std::uint64_t>(inside, bytes.size())));
  return std::ranges::equal(bytes, contents);
}

bool KnownDisk::has(std::uint64_t guest_offset, std::span<const std::byte> contents) const {
  if (guest_offset >= chain_.size()) return is_zero(contents);
  const Chain::LayerMapping found = chain_.map(guest_offset);
  const Extent range{guest_offset, contents.size()};
  if (!found.mapping.is_stored() && found.mapping.guest.end() >= range.end()) return is_zero(contents);
  const DigestTable* table = table_of(found, contents.size());
  const auto written = table == nullptr ? std::nullopt : table->find(guest_offset / contents.size());
  if (written && *written != digest_of(table->kind(), contents)) return false;
  const bool is_settled = written && believed_ && found.mapping.kind == Mapping::Kind::compressed;
  return is_settled || reads_as(guest_offset, contents);
}

}  // namespace e2qcow::qcow2
