// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/chain.h"

#include <algorithm>

namespace e2qcow::qcow2 {
Chain::Chain(std::vector<const Reader*> images, const ReadableFile* raw_base)
    : images_(std::move(images)), raw_base_(raw_base) {}

// Inside the raw disk, which has all of its bytes: a hole in it is zeros.
Mapping Chain::map_raw(std::uint64_t guest_offset) const {
  const auto data = raw_base_->next_data(guest_offset);
  const bool is_data = data && data->offset <= guest_offset;
  std::uint64_t end = raw_base_->size();
  if (data) end = is_data ? data->end() : data->offset;
  return {.kind = is_data ? Mapping::Kind::data : Mapping::Kind::zeros,
          .guest = {guest_offset, end - guest_offset},
          .host_offset = guest_offset};
}

Chain::LayerMapping Chain::map(std::uint64_t guest_offset) const {
  LayerMapping found;
  std::uint64_t end = size();
  for (std::size_t depth = 0; depth < images_.size() && guest_offset < images_[depth]->size(); ++depth) {
    found = {images_[depth]->map(guest_offset), depth};
    end = std::min(end, found.mapping.guest.end());
    found.mapping.guest.length = end - guest_offset;
    if (found.mapping.kind != Mapping::Kind::unallocated) return found;
    const bool is_last = depth + 1 == images_.size();
    if (!is_last || raw_base_ == nullptr || guest_offset >= raw_base_->size()) continue;
    found = {map_raw(guest_offset), depth + 1};
    found.mapping.guest.length = std::min(end, found.mapping.guest.end()) - guest_offset;
  }
  return found;
}

std::optional<Extent> Chain::next_extent(std::uint64_t guest_offset) const {
  while (guest_offset < size()) {
    const Mapping mapping = map(guest_offset).mapping;
    if (mapping.is_stored()) return mapping.guest;
    guest_offset = mapping.guest.end();
  }
  return std::nullopt;
}

void Chain::read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  if (images_.size() == 1 && raw_base_ == nullptr) return images_[0]->read(guest_offset, out);
  while (!out.empty()) {
    const LayerMapping found = map(guest_offset);
    const auto part = out.first(std::min<std::uint64_t>(out.size(), found.mapping.guest.length));
    read(found, guest_offset, part);
    guest_offset += part.size();
    out = out.subspan(part.size());
  }
}

void Chain::read(const LayerMapping& found, std::uint64_t guest_offset, std::span<std::byte> out) const {
  if (!found.mapping.is_stored()) {
    std::ranges::fill(out, std::byte{0});
    return;
  }
  const std::uint64_t host_offset = *found.mapping.host_offset + (guest_offset - found.mapping.guest.offset);
  if (found.depth == images_.size())
    raw_base_->read(host_offset, out);
  else if (found.mapping.kind == Mapping::Kind::data)
    images_[found.depth]->read_plain(host_offset, guest_offset, out);
  else
    images_[found.depth]->read(guest_offset, out);
}

std::uint64_t Chain::read_unit() const {
  std::uint64_t unit = 1;
  for (const Reader* image : images_) unit = std::max(unit, image->read_unit());
  return unit;
}

std::optional<File::Descriptor> Chain::stored_at(Extent guest) const {
  const LayerMapping found = map(guest.offset);
  if (found.mapping.kind != Mapping::Kind::data || found.mapping.guest.length < guest.length)
    return std::nullopt;
  auto stored = found.depth == images_.size() ? raw_base_->descriptor()
                                              : images_[found.depth]->data_file().descriptor();
  if (stored) stored->offset += *found.mapping.host_offset;
  return stored;
}

}  // namespace e2qcow::qcow2
