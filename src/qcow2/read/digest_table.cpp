// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/digest_table.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kPageBytes = kSectorSize;

}  // namespace

std::optional<DigestSeal> read_seal(const ReadableFile& file, const DigestPlace& place,
                                    const Header& header) {
  std::array<std::byte, DigestSeal::kBytes> bytes{};
  if (place.host_offset % kSectorSize != 0 || place.host_offset > file.size() ||
      file.read_up_to(place.host_offset, bytes) != bytes.size())
    return std::nullopt;
  const auto seal = decode_seal(bytes);
  if (!seal || seal->kind != place.kind || seal->cluster_bits != header.cluster_bits) return std::nullopt;
  // Bounds that keep the sum below from wrapping around.
  const std::uint64_t room = file.size() - place.host_offset;
  if (seal->runs > room / DigestSeal::kRunBytes || seal->clusters > room / digest_size(seal->kind) ||
      digest_area_bytes(seal->kind, seal->runs, seal->clusters) > room)
    return std::nullopt;
  return seal;
}

DigestTable::DigestTable(const ReadableFile& file, const DigestPlace& place, const DigestSeal& seal)
    : file_(file), seal_(seal), host_offset_(place.host_offset + DigestSeal::kBytes), pages_(file) {}

std::unique_ptr<DigestTable> DigestTable::open(const ReadableFile& file, const DigestPlace& place,
                                               const DigestSeal& seal) {
  std::unique_ptr<DigestTable> table(new DigestTable(file, place, seal));
  return table->is_as_written() ? std::move(table) : nullptr;
}

bool DigestTable::is_as_written() const {
  constexpr std::uint64_t kPieceBytes = 1 << 20;
  Hasher hasher(seal_.kind);
  std::vector<std::byte> piece;
  for (std::uint64_t position = 0; position < seal_.table_bytes(); position += piece.size()) {
    throw_if_stopped();
    piece.resize(std::min(kPieceBytes, seal_.table_bytes() - position));
    file_.read(host_offset_ + position, piece);
    hasher.add(piece);
  }
  return hasher.finish() == seal_.table && runs_ascend();
}

// A table that was made by hand may have the right digest.
bool DigestTable::runs_ascend() const {
  std::uint64_t end = 0;
  std::uint64_t index = 0;
  for (std::uint64_t number = 0; number < seal_.runs; ++number) {
    const Run next = run(number);
    if (next.count == 0 || next.index != index || (number > 0 && next.first <= end)) return false;
    end = next.end();
    index += next.count;
  }
  return index == seal_.clusters;
}

void DigestTable::read(std::uint64_t position, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t inside = position % kPageBytes;
    const auto page = pages_.page(host_offset_ + position - inside, kPageBytes);
    const auto part = out.first(std::min<std::size_t>(out.size(), kPageBytes - inside));
    std::ranges::copy(std::as_bytes(std::span(*page)).subspan(inside, part.size()), part.begin());
    position += part.size();
    out = out.subspan(part.size());
  }
}

// Without digests if the table contradicts itself.
DigestTable::Run DigestTable::run(std::uint64_t number) const {
  std::array<std::byte, 2 * DigestSeal::kRunBytes> bytes{};
  const bool is_last = number + 1 == seal_.runs;
  read(number * DigestSeal::kRunBytes, std::span(bytes).first(DigestSeal::kRunBytes * (is_last ? 1 : 2)));
  Run run{.first = load_be<std::uint64_t>(bytes, 0), .index = load_be<std::uint64_t>(bytes, 8)};
  const std::uint64_t next = is_last ? seal_.clusters : load_be<std::uint64_t>(bytes, 24);
  if (run.index < next && next <= seal_.clusters) run.count = next - run.index;
  if (run.count > std::numeric_limits<std::uint64_t>::max() - run.first) run.count = 0;
  return run;
}

// The last run that begins at or before the cluster; or else the first one.
std::uint64_t DigestTable::run_before(std::uint64_t cluster) const {
  std::uint64_t begin = 0;
  std::uint64_t end = seal_.runs;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + (end - begin) / 2;
    (run(middle).first <= cluster ? begin : end) = middle;
  }
  return begin;
}

std::optional<DigestTable::Run> DigestTable::next_run(std::uint64_t cluster) const {
  for (std::uint64_t number = run_before(cluster); number < seal_.runs; ++number)
    if (const Run next = run(number); next.end() > cluster) return next;
  return std::nullopt;
}

std::optional<DigestTable::Run> DigestTable::run_with(std::uint64_t cluster) const {
  {
    const std::scoped_lock lock(mutex_);
    if (recent_.has(cluster)) return recent_;
  }
  if (seal_.runs == 0) return std::nullopt;
  const Run found = run(run_before(cluster));
  if (!found.has(cluster)) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  recent_ = found;
  return found;
}

std::optional<Digest> DigestTable::find(std::uint64_t cluster) const {
  const auto run = run_with(cluster);
  if (!run) return std::nullopt;
  const std::size_t size = digest_size(seal_.kind);
  Digest digest;
  read(seal_.runs * DigestSeal::kRunBytes + (run->index + (cluster - run->first)) * size,
       std::span(digest.bytes).first(size));
  return digest;
}

}  // namespace e2qcow::qcow2
