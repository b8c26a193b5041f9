#include "qcow2/reader.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/stop.h"
#include "qcow2/record_extension.h"

namespace e2qcow::qcow2 {
namespace {

std::vector<std::byte> read_front(const File& file, std::uint64_t file_size, std::uint64_t length) {
  std::vector<std::byte> bytes(std::min(file_size, length));
  bytes.resize(file.read_up_to(0, bytes));
  return bytes;
}

}  // namespace

Reader::Reader(const File& file) : file_(file), file_size_(file.size()), tables_(file) {
  header_ = decode_header(read_front(file, file_size_, kHeaderLengthV3), file_size_, file.name());
  const auto first_cluster = read_front(file, file_size_, header_.geometry().cluster_size());
  extensions_ = decode_extensions(header_, first_cluster, file.name());
  // The size of what comes from a pipe was not known when the header was decoded.
  if (header_.backing_file_offset + header_.backing_file_size > first_cluster.size())
    fail(Errc::truncated, file.name() + ": it ends before the name of its backing file");
  if (header_.backing_file_offset != 0 && header_.backing_file_size != 0)
    backing_file_name_.emplace(
        reinterpret_cast<const char*>(first_cluster.data()) + header_.backing_file_offset,
        header_.backing_file_size);
  load_l1();
}

void Reader::corrupt(std::uint64_t guest_offset, const std::string& what) const {
  fail(Errc::corrupt, fmt::format("{}: guest offset {}: {}", file_.name(), guest_offset, what));
}

void Reader::load_l1() {
  const Geometry geometry = header_.geometry();
  l1_.resize(divide_up(header_.size, geometry.l2_reach()));
  file_.read(header_.l1_table_offset, std::as_writable_bytes(std::span(l1_)));
  for (std::uint64_t index = 0; index < l1_.size(); ++index) {
    const L1Entry entry(big_endian(l1_[index]));
    const std::uint64_t guest_offset = index * geometry.l2_reach();
    l1_[index] = entry.host_offset();
    if (entry.host_offset() == 0 && !entry.has_reserved_bits()) continue;
    if (entry.has_reserved_bits() || entry.host_offset() % geometry.cluster_size() != 0)
      corrupt(guest_offset, fmt::format("L1 entry {:#x} has reserved bits or is not aligned", entry.raw()));
    if (entry.host_offset() > file_size_ || geometry.cluster_size() > file_size_ - entry.host_offset())
      fail(Errc::truncated, fmt::format("{}: guest offset {}: the L2 table at {} is past the end of the file",
                                        file_.name(), guest_offset, entry.host_offset()));
  }
}

std::optional<DumpRecord> Reader::record() const {
  return decode_record(extensions_);
}

L2Entry Reader::checked(L2Entry entry, std::uint64_t guest_offset) const {
  const Geometry geometry = header_.geometry();
  if (entry.compressed()) {
    if (entry.copied()) corrupt(guest_offset, "a compressed cluster is marked as copied");
    if (entry.compressed_offset(geometry) >= file_size_)
      fail(Errc::truncated, fmt::format("{}: guest offset {}: the compressed cluster at {} is past the end",
                                        file_.name(), guest_offset, entry.compressed_offset(geometry)));
    return entry;
  }
  if (entry.has_reserved_bits())
    corrupt(guest_offset, fmt::format("L2 entry {:#x} has reserved bits", entry.raw()));
  if (entry.reads_as_zeros() && header_.version < 3)
    corrupt(guest_offset, "a zero cluster in a version 2 image");
  if (entry.host_offset() % geometry.cluster_size() != 0)
    corrupt(guest_offset, fmt::format("the cluster at {} is not aligned", entry.host_offset()));
  if (entry.host_offset() == 0 && entry.copied() && !entry.reads_as_zeros())
    corrupt(guest_offset, "an entry without a cluster is marked as copied");
  if (entry.host_offset() == 0 || entry.reads_as_zeros()) return entry;
  const std::uint64_t needed = std::min(geometry.cluster_size(), header_.size - guest_offset);
  if (entry.host_offset() > file_size_ || needed > file_size_ - entry.host_offset())
    fail(Errc::truncated, fmt::format("{}: guest offset {}: the cluster at {} is past the end of the file",
                                      file_.name(), guest_offset, entry.host_offset()));
  return entry;
}

Mapping Reader::describe(L2Entry entry, std::uint64_t guest_offset) const {
  const Geometry geometry = header_.geometry();
  Mapping mapping;
  mapping.guest = {guest_offset, geometry.cluster_size()};
  if (entry.compressed()) {
    mapping.kind = Mapping::Kind::compressed;
    mapping.host_offset = entry.compressed_offset(geometry);
    mapping.stored_length = entry.compressed_length(geometry);
  } else if (entry.reads_as_zeros()) {
    mapping.kind = Mapping::Kind::zeros;
  } else if (entry.host_offset() != 0) {
    mapping.kind = Mapping::Kind::data;
    mapping.host_offset = entry.host_offset();
  }
  return mapping;
}

Mapping Reader::map_page(std::uint64_t l2_offset, std::uint64_t guest_offset) const {
  const Geometry geometry = header_.geometry();
  const std::uint64_t page_bytes = std::min(TableCache::kPageBytes, geometry.cluster_size());
  const std::uint64_t entries = page_bytes / sizeof(std::uint64_t);
  const std::uint64_t index = (guest_offset >> geometry.cluster_bits) % geometry.l2_entries();
  const auto page = tables_.page(l2_offset + index / entries * page_bytes, page_bytes);
  const auto entry_at = [&](std::uint64_t i, std::uint64_t offset) {
    return describe(checked(L2Entry(big_endian((*page)[i])), offset), offset);
  };
  Mapping mapping = entry_at(index % entries, round_down(guest_offset, geometry.cluster_size()));
  for (std::uint64_t i = index % entries + 1; i < entries && mapping.guest.end() < header_.size; ++i) {
    const Mapping next = entry_at(i, mapping.guest.end());
    const bool continues = next.kind == mapping.kind && mapping.kind != Mapping::Kind::compressed &&
                           (mapping.kind != Mapping::Kind::data ||
                            next.host_offset == mapping.host_offset + mapping.guest.length);
    if (!continues) break;
    mapping.guest.length += next.guest.length;
  }
  return mapping;
}

Mapping Reader::map(std::uint64_t guest_offset) const {
  const std::uint64_t reach = header_.geometry().l2_reach();
  std::uint64_t index = guest_offset / reach;
  Mapping mapping;
  if (l1_[index] != 0) {
    mapping = map_page(l1_[index], guest_offset);
  } else {
    while (index < l1_.size() && l1_[index] == 0) ++index;
    mapping.guest = {guest_offset, index * reach - guest_offset};
  }
  const std::uint64_t skipped = guest_offset - mapping.guest.offset;
  const std::uint64_t end = std::min(mapping.guest.end(), header_.size);
  mapping.guest = {guest_offset, end - guest_offset};
  if (mapping.kind == Mapping::Kind::data) mapping.host_offset += skipped;
  return mapping;
}

std::optional<Extent> Reader::next_extent(std::uint64_t guest_offset) {
  while (guest_offset < header_.size) {
    const Mapping mapping = map(guest_offset);
    if (mapping.kind == Mapping::Kind::data || mapping.kind == Mapping::Kind::compressed)
      return mapping.guest;
    guest_offset = mapping.guest.end();
  }
  return std::nullopt;
}

void Reader::read(std::uint64_t guest_offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const Mapping mapping = map(guest_offset);
    const auto part = out.first(std::min<std::uint64_t>(out.size(), mapping.guest.length));
    switch (mapping.kind) {
      case Mapping::Kind::data:
        file_.read(mapping.host_offset, part);
        break;
      case Mapping::Kind::compressed:
        read_compressed(mapping, guest_offset, part);
        break;
      default:
        std::ranges::fill(part, std::byte{0});
    }
    guest_offset += part.size();
    out = out.subspan(part.size());
  }
}

std::optional<File::Descriptor> Reader::stored_at(Extent guest) const {
  const Mapping mapping = map(guest.offset);
  if (mapping.kind != Mapping::Kind::data || mapping.guest.length < guest.length) return std::nullopt;
  auto place = file_.descriptor();
  if (place) place->offset += mapping.host_offset;
  return place;
}

// `out` is a part of the cluster.
void Reader::read_compressed(const Mapping& mapping, std::uint64_t guest_offset, std::span<std::byte> out) {
  const std::uint64_t cluster_size = header_.geometry().cluster_size();
  // The last sector may lie past the end of the file, when the data ends before that.
  std::vector<std::byte> stored(mapping.stored_length);
  stored.resize(file_.read_up_to(mapping.host_offset, stored));
  std::vector<std::byte> whole(out.size() == cluster_size ? 0 : cluster_size);
  const std::span<std::byte> cluster = whole.empty() ? out : whole;
  const auto decoder = decoders_.borrow([this] { return make_decoder(header_.compression_type); });
  if (!decoder->decode(stored, cluster))
    corrupt(guest_offset, "the compressed cluster cannot be decompressed");
  if (!whole.empty())
    std::ranges::copy(cluster.subspan(guest_offset % cluster_size, out.size()), out.begin());
}

std::uint64_t Reader::check_tables() {
  std::uint64_t bytes = 0;
  std::uint64_t position = 0;
  while (const auto extent = next_extent(position)) {
    throw_if_stopped();
    bytes += extent->length;
    position = extent->end();
  }
  return bytes;
}

}  // namespace e2qcow::qcow2
