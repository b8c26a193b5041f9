// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/table_digests.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kPieceBytes = 1 << 20;

// Adds a table, and then the tables that its entries point to.
class TwoLevels {
 public:
  TwoLevels(DigestKind kind, const ReadableFile& file, std::uint64_t cluster_size)
      : hasher_(kind), file_(file), cluster_size_(cluster_size), room_(file.size() / cluster_size) {}

  // False if the tables are not where any of ours are.
  template <typename Entry>
  bool add(Extent table) {
    if (!is_inside(table)) return false;
    for (std::uint64_t position = 0; position < table.length; position += kPieceBytes) {
      std::vector<std::byte> piece(std::min(kPieceBytes, table.length - position));
      add_bytes(table.offset + position, piece);
      for (std::size_t at = 0; at < piece.size(); at += sizeof(std::uint64_t))
        below_.push_back(Entry(load_be<std::uint64_t>(piece, at)).host_offset());
      std::erase(below_, 0);
      if (below_.size() > room_) return false;  // one is there twice
    }
    return std::ranges::all_of(below_, [this](std::uint64_t offset) { return add_below(offset); });
  }
  Digest finish() { return hasher_.finish(); }

 private:
  bool is_inside(Extent table) const {
    return table.offset <= file_.size() && table.length <= file_.size() - table.offset;
  }
  void add_bytes(std::uint64_t offset, std::span<std::byte> piece) {
    throw_if_stopped();
    file_.read(offset, piece);
    hasher_.add(piece);
  }
  bool add_below(std::uint64_t offset) {
    if (!is_inside({offset, cluster_size_})) return false;
    const auto data = file_.next_data(offset);
    if (!data || data->offset >= offset + cluster_size_) return false;
    std::vector<std::byte> piece(std::min(kPieceBytes, cluster_size_));
    for (std::uint64_t position = 0; position < cluster_size_; position += piece.size())
      add_bytes(offset + position, piece);
    return true;
  }

  Hasher hasher_;
  const ReadableFile& file_;
  std::uint64_t cluster_size_;
  std::uint64_t room_;                // tables that can be in the file
  std::vector<std::uint64_t> below_;  // host offsets
};

}  // namespace

std::optional<Digest> digest_of_mapping(DigestKind kind, const ReadableFile& file, const Header& header) {
  TwoLevels tables(kind, file, header.geometry().cluster_size());
  const Extent l1{header.l1_table_offset, header.l1_size * sizeof(std::uint64_t)};
  if (l1.length > kMaxL1Bytes || !tables.add<L1Entry>(l1)) return std::nullopt;
  return tables.finish();
}

std::optional<Digest> digest_of_refcounts(DigestKind kind, const ReadableFile& file, const Header& header) {
  TwoLevels tables(kind, file, header.geometry().cluster_size());
  const Extent table{header.refcount_table_offset,
                     header.refcount_table_clusters * header.geometry().cluster_size()};
  if (table.length > kMaxRefcountTableBytes || !tables.add<RefcountTableEntry>(table)) return std::nullopt;
  return tables.finish();
}

}  // namespace e2qcow::qcow2
