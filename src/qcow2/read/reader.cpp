// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/reader.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/stop.h"
#include "qcow2/format/read_header.h"
#include "qcow2/format/record_extension.h"
#include "qcow2/read/other_tables.h"
#include "qcow2/read/table_overlaps.h"

namespace e2qcow::qcow2 {

bool continues(const Mapping& before, const Mapping& next) {
  if (next.kind != before.kind || before.kind == Mapping::Kind::compressed) return false;
  if (!before.host_offset) return !next.host_offset;
  return next.host_offset == *before.host_offset + before.guest.length;
}

Reader::Reader(const ReadableFile& file, const ReadableFile* data_file)
    : file_(file),
      data_file_(data_file),
      header_(read_header(file)),
      limits_{header_.geometry(), header_.version, file.size()},
      data_limits_{header_.geometry(), header_.version, Reader::data_file().size(), header_.has_data_file()},
      tables_(file) {
  auto [extensions, fault] = read_extensions(file, header_);
  extensions_ = std::move(extensions);
  contradiction_ = fault;
  refuse_encryption(extensions_, file.name());
  if (header_.has_data_file() && data_file == nullptr)
    fail(Errc::missing_data_file, file.name() + ": needs its external data file");
  if (!header_.has_data_file() && data_file != nullptr)
    fail(Errc::refused,
         fmt::format("{}: has no external data file; {} is one too many", file.name(), data_file->name()));
  backing_file_name_ = read_backing_file_name(file, header_);
  load_l1();
}

void Reader::load_l1() {
  const Geometry geometry = header_.geometry();
  l1_.resize(divide_up(header_.size, geometry.l2_reach()));
  file_.read(header_.l1_table_offset, std::as_writable_bytes(std::span(l1_)));
  for (std::uint64_t index = 0; index < l1_.size(); ++index) {
    const L1Entry entry(big_endian(l1_[index]));
    const Origin origin{"L1 entry", index};
    l1_[index] = entry.host_offset();
    for (const Fault& fault : faults_of(entry)) refuse(file_.name(), origin, fault);
    if (l1_[index] == 0) continue;
    const auto fault = fault_of_table(ClusterUse::l2_table, {l1_[index], geometry.cluster_size()}, limits_);
    if (fault) refuse(file_.name(), origin, *fault);
  }
}

std::optional<DumpRecord> Reader::record() const {
  return decode_record(extensions_);
}

std::optional<bool> Reader::was_opened_for_writing() const {
  const auto dump = record();
  const bool is_overlay = backing_file_name_ && !has_extension(kBase);  // with the record of what it changes
  if (!dump || dump->image_version < 3 || is_overlay) return std::nullopt;
  return header_.version < 3 || (header_.autoclear_features & kUnchangedDump) == 0;
}

bool Reader::has_extension(std::uint32_t type) const {
  return std::ranges::find(extensions_, type, &Extension::type) != extensions_.end();
}

// The cluster or subcluster at `guest_offset`, a multiple of the size of a subcluster.
Mapping Reader::describe(const ClusterEntry& entry, std::uint64_t guest_offset) const {
  const Geometry geometry = header_.geometry();
  const std::uint64_t inside = guest_offset % geometry.cluster_size();
  Mapping mapping;
  if (entry.cluster.compressed()) {
    mapping.kind = Mapping::Kind::compressed;
    mapping.guest = {guest_offset - inside, geometry.cluster_size()};
    mapping.host_offset = entry.cluster.compressed_offset(geometry);
    mapping.stored_length = entry.cluster.compressed_length(geometry);
    return mapping;
  }
  mapping.guest = {guest_offset, geometry.subcluster_size()};
  const std::uint64_t index = inside / geometry.subcluster_size();
  const bool zeros = geometry.extended_l2 ? entry.subclusters.zeros(index) : entry.cluster.reads_as_zeros();
  const bool is_there = has_cluster(entry.cluster, data_limits_);
  const bool data = geometry.extended_l2 ? entry.subclusters.allocated(index) : is_there;
  if (zeros)
    mapping.kind = Mapping::Kind::zeros;
  else if (data)
    mapping.kind = Mapping::Kind::data;
  if (is_there) mapping.host_offset = entry.cluster.host_offset() + inside;
  return mapping;
}

void Reader::check(const ClusterEntry& entry, std::uint64_t guest_offset) const {
  const std::uint64_t disk_bytes = std::min(header_.geometry().cluster_size(), header_.size - guest_offset);
  for (const Fault& fault : faults_of(entry, disk_bytes, data_limits_)) {
    const Origin origin{"guest offset", guest_offset};
    refuse(file_.name(), origin, fault);
    const std::scoped_lock lock(mutex_);
    if (harmless_fault_.empty()) harmless_fault_ = text_of(origin) + ": " + fault.text();
  }
}

// From the part of an L2 table that has the entry for `guest_offset`.
Mapping Reader::map_page(std::uint64_t l2_offset, std::uint64_t guest_offset) const {
  const Geometry geometry = header_.geometry();
  const std::uint64_t page_bytes = std::min(TableCache::kPageBytes, geometry.cluster_size());
  const std::uint64_t entries = page_bytes / geometry.l2_entry_bytes();
  const std::uint64_t index = (guest_offset >> geometry.cluster_bits) % geometry.l2_entries();
  const auto page = tables_.page(l2_offset + index / entries * page_bytes, page_bytes);
  const std::uint64_t first =
      (guest_offset >> geometry.cluster_bits) - index % entries;  // cluster of the page
  const std::uint64_t end = std::min((first + entries) << geometry.cluster_bits, header_.size);
  const auto at = [&](std::uint64_t offset) {
    const std::uint64_t cluster = offset >> geometry.cluster_bits;
    const auto table = std::as_bytes(std::span(*page)).subspan((cluster - first) * geometry.l2_entry_bytes());
    const ClusterEntry entry = load_cluster_entry(table, geometry);
    check(entry, cluster << geometry.cluster_bits);
    return describe(entry, offset);
  };
  Mapping mapping = at(round_down(guest_offset, geometry.subcluster_size()));
  while (mapping.kind != Mapping::Kind::compressed && mapping.guest.end() < end) {
    const Mapping next = at(mapping.guest.end());
    if (!continues(mapping, next)) break;
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
  if (mapping.kind != Mapping::Kind::compressed && mapping.host_offset) *mapping.host_offset += skipped;
  return mapping;
}

void Reader::read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const Mapping mapping = map(guest_offset);
    const auto part = out.first(std::min<std::uint64_t>(out.size(), mapping.guest.length));
    switch (mapping.kind) {
      case Mapping::Kind::data:
        read_plain(*mapping.host_offset, guest_offset, part);
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

void Reader::read_plain(std::uint64_t host_offset, std::uint64_t guest_offset,
                        std::span<std::byte> out) const {
  data_file().read(host_offset, out);
  if (content_check_) check_plain(host_offset, guest_offset, out);
}

// The clusters of which `bytes` are a part: those at its ends may have to be read as a whole.
void Reader::check_plain(std::uint64_t host_offset, std::uint64_t guest_offset,
                         std::span<const std::byte> bytes) const {
  const std::uint64_t cluster_size = header_.geometry().cluster_size();
  std::vector<std::byte> whole;
  const std::uint64_t end = guest_offset + bytes.size();
  for (std::uint64_t begin = round_down(guest_offset, cluster_size); begin < end; begin += cluster_size) {
    const std::uint64_t cluster = begin / cluster_size;
    if (begin >= guest_offset && cluster_size <= end - begin) {
      content_check_->check(cluster, bytes.subspan(begin - guest_offset, cluster_size));
    } else if (!content_check_->is_settled(cluster)) {
      whole.resize(cluster_size);
      data_file().read(host_offset + begin - guest_offset, whole);
      content_check_->check(cluster, whole);
    }
  }
}

// `out` is a part of the cluster.
void Reader::read_compressed(const Mapping& mapping, std::uint64_t guest_offset,
                             std::span<std::byte> out) const {
  const std::uint64_t cluster_size = header_.geometry().cluster_size();
  // The last sector may reach past the end of the file if the data ends before that.
  std::vector<std::byte> stored(mapping.stored_length);
  stored.resize(file_.read_up_to(*mapping.host_offset, stored));
  std::vector<std::byte> whole(out.size() == cluster_size ? 0 : cluster_size);
  const std::span<std::byte> cluster = whole.empty() ? out : whole;
  const auto decoder = decoders_.borrow([this] { return make_decoder(header_.compression_type); });
  if (!decoder->decode(stored, cluster)) {
    if (stored.size() < mapping.stored_length)
      fail(Errc::truncated, fmt::format("{}: it ended early, at {}, in the data of guest offset {}",
                                        file_.name(), *mapping.host_offset + stored.size(), guest_offset));
    refuse(file_.name(), {"guest offset", guest_offset},
           {Fault::Kind::corrupt, "the compressed cluster cannot be decompressed"});
  }
  if (content_check_) content_check_->check(guest_offset / cluster_size, cluster);
  if (!whole.empty())
    std::ranges::copy(cluster.subspan(guest_offset % cluster_size, out.size()), out.begin());
}

std::vector<Extent> Reader::mapped_ranges() const {
  const std::uint64_t reach = header_.geometry().l2_reach();
  std::vector<std::pair<std::uint64_t, std::uint64_t>> tables;  // host offset, index
  for (std::uint64_t index = 0; index < l1_.size(); ++index)
    if (l1_[index] != 0) tables.emplace_back(l1_[index], index);
  std::ranges::sort(tables);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  tables.erase(std::unique(tables.begin(), tables.end(), same), tables.end());
  std::vector<Extent> ranges;
  for (const auto& [host_offset, index] : tables)
    ranges.push_back({index * reach, std::min(reach, header_.size - index * reach)});
  return ranges;
}

// A table in a hole of the file has no entries.
void Reader::forget_empty_tables() {
  for (std::uint64_t& host_offset : l1_) {
    if (host_offset == 0) continue;
    const auto data = file_.next_data(host_offset);
    if (!data || data->offset >= host_offset + header_.geometry().cluster_size()) host_offset = 0;
  }
}

TableSummary Reader::check_tables(std::uint64_t max_ratio) {
  std::vector<std::uint64_t> l2_tables;
  std::ranges::copy_if(l1_, std::back_inserter(l2_tables), [](std::uint64_t offset) { return offset != 0; });
  const TableOverlaps tables(file_.name(), header_, l2_tables);
  forget_empty_tables();
  TableSummary summary{.tables_end = tables.end()};
  for (std::uint64_t position = 0; position < header_.size;) {
    throw_if_stopped();
    const Mapping mapping = map(position);
    position = mapping.guest.end();
    if (!mapping.is_stored()) continue;
    const bool compressed = mapping.kind == Mapping::Kind::compressed;
    (compressed ? summary.compressed_bytes : summary.plain_bytes) += mapping.guest.length;
    if (compressed && data_file_ != nullptr)
      refuse(file_.name(), {"guest offset", mapping.guest.offset},
             {Fault::Kind::corrupt, "a compressed cluster in an image with an external data file"});
    if (data_file_ == nullptr &&
        !tables.is_free({*mapping.host_offset, compressed ? mapping.stored_length : mapping.guest.length}))
      refuse(file_.name(), {"guest offset", mapping.guest.offset},
             {Fault::Kind::corrupt, "the data at {0} overlaps a table", *mapping.host_offset});
    check_size(summary, limits_.file_size, max_ratio);
  }
  if (contradiction_.empty()) contradiction_ = fault_of_other_tables(file_, header_, extensions_);
  if (contradiction_.empty()) contradiction_ = harmless_fault_;
  return summary;
}

// Data may share no cluster of the file, so that all of it is no larger than the file.
void Reader::check_size(const TableSummary& tables, std::uint64_t file_size, std::uint64_t max_ratio) const {
  if (tables.tables_end > round_up(file_size, header_.geometry().cluster_size()))
    fail(Errc::truncated,
         fmt::format("{}: it ended early, at {}, before a table does", file_.name(), file_size));
  if (tables.plain_bytes > (data_file_ == nullptr ? file_size : data_file_->size()) ||
      tables.compressed_bytes / max_ratio > file_size)
    fail(Errc::implausible,
         fmt::format("{}: claims at least {} bytes of data and has only {}, which is not plausible",
                     file_.name(), tables.data_bytes(), file_size));
}

}  // namespace e2qcow::qcow2
