// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/known_disk.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "qcow2/read/digest_state.h"

namespace e2qcow::qcow2 {

KnownDisk::KnownDisk(const Chain& chain, std::span<const std::unique_ptr<Reader>> images, bool believed)
    : chain_(chain), believed_(believed) {
  for (const auto& image : images) {
    DigestState state = read_digest_state(*image);
    const bool counts = state.is_marked && state.header_is_as_written && state.mapping_is_as_written;
    images_.push_back(image.get());
    if (state.place && state.is_marked && (!counts || !state.table))
      doubtful_.push_back(image->file().name());
    tables_.push_back(counts ? std::move(state.table) : nullptr);
  }
}

const DigestTable* KnownDisk::table_of(const Run& run) const {
  const std::size_t depth = run.found.depth;
  if (depth >= images_.size() || images_[depth]->read_unit() != run.unit) return nullptr;
  return tables_[depth].get();
}

KnownDisk::Run KnownDisk::run_at(std::uint64_t guest_offset, std::span<const std::byte> contents,
                                 std::uint64_t unit) const {
  if (guest_offset >= chain_.size()) return {guest_offset, contents, unit, {}};
  const Chain::LayerMapping found = chain_.map(guest_offset);
  const std::uint64_t whole = found.mapping.guest.length / unit * unit;
  const std::uint64_t length = std::clamp<std::uint64_t>(whole, unit, contents.size());
  return {guest_offset, contents.first(length), unit, found};
}

std::optional<std::vector<std::byte>> KnownDisk::read(const Run& run) const {
  std::vector<std::byte> bytes(run.contents.size());
  const std::uint64_t inside = std::min<std::uint64_t>(bytes.size(), chain_.size() - run.guest_offset);
  try {
    chain_.read(run.guest_offset, std::span(bytes).first(inside));
  } catch (const std::system_error& error) {
    if (error.code() != Errc::corrupt) throw;
    return std::nullopt;
  }
  return bytes;
}

// As far as tables and digests tell; absent: it must be read.
std::optional<bool> KnownDisk::is_known_unread(const Run& run, std::size_t at) const {
  const Mapping& mapping = run.found.mapping;
  const auto contents = run.contents.subspan(at, run.unit);
  // A layer above may have a part of it.
  const bool is_one_piece = mapping.guest.length == 0 || mapping.guest.length >= run.unit;
  if (!mapping.is_stored() && is_one_piece) return is_zero(contents);
  const DigestTable* table = table_of(run);
  const auto written = table == nullptr ? std::nullopt : table->find((run.guest_offset + at) / run.unit);
  if (!written) return std::nullopt;
  if (*written != digest_of(table->kind(), contents)) return false;
  if (believed_ && is_one_piece && mapping.kind == Mapping::Kind::compressed) return true;
  return std::nullopt;
}

void KnownDisk::add_known(const Run& run, std::vector<bool>& known) const {
  std::optional<std::vector<std::byte>> below;  // absent: it cannot be read
  bool was_read = false;
  for (std::size_t at = 0; at < run.contents.size(); at += run.unit) {
    auto is_known = is_known_unread(run, at);
    if (!is_known) {
      if (!was_read) below = read(run);
      was_read = true;
      is_known = below && std::memcmp(&(*below)[at], &run.contents[at], run.unit) == 0;
    }
    known.push_back(*is_known);
  }
}

std::vector<bool> KnownDisk::find_known(std::uint64_t guest_offset, std::span<const std::byte> contents,
                                        std::uint64_t unit) const {
  std::vector<bool> known;
  while (!contents.empty()) {
    const Run run = run_at(guest_offset, contents, unit);
    add_known(run, known);
    guest_offset += run.contents.size();
    contents = contents.subspan(run.contents.size());
  }
  return known;
}

}  // namespace e2qcow::qcow2
