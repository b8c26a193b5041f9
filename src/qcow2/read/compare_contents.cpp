// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/compare_contents.h"

#include <e2qcow/error.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/extents.h"
#include "qcow2/read/chain.h"

namespace e2qcow::qcow2 {
namespace {

bool is_damage(const std::error_code& code) {
  return code == Errc::corrupt || code == Errc::truncated || code == Errc::unsupported;
}

// What the image stores, and what it should store.
class StoredOrDigested : public ImageSource {
 public:
  StoredOrDigested(const Reader& image, const DigestTable& table)
      : cluster_size_(image.header().geometry().cluster_size()),
        table_(table),
        chain_({&image}, nullptr),
        disk_(chain_) {}

  std::uint64_t size() const override { return chain_.size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    const auto stored = chain_.next_extent(guest_offset);
    const auto digested = next_digested(guest_offset);
    if (!stored || !digested) return stored ? stored : digested;
    return digested->offset <= stored->offset ? digested : stored;
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override {
    disk_.read(guest_offset, out);
  }
  std::uint64_t read_unit() const override { return cluster_size_; }

 private:
  std::optional<Extent> next_digested(std::uint64_t guest_offset) const {
    if (guest_offset >= size()) return std::nullopt;
    const auto run = table_.next_run(guest_offset / cluster_size_);
    if (!run || run->first >= divide_up(size(), cluster_size_)) return std::nullopt;
    const std::uint64_t begin = std::max(guest_offset, run->first * cluster_size_);
    const std::uint64_t end = std::min(run->end(), divide_up(size(), cluster_size_)) * cluster_size_;
    return Extent{begin, std::min(end, size()) - begin};
  }

  std::uint64_t cluster_size_;
  const DigestTable& table_;
  Chain chain_;
  DecodableDisk disk_;
};

// Keeps the clusters with other digests.
class Differences : public ImageSink {
 public:
  Differences(const Reader& image, const DigestTable& table)
      : cluster_size_(image.header().geometry().cluster_size()),
        has_backing_(image.backing_file_name().has_value()),
        table_(table) {}

  std::uint64_t granularity() const override { return cluster_size_; }
  void pack(Batch& batch) const override {
    batch.pieces.clear();
    std::span<const std::byte> data = batch.data;
    for (const Extent& range : batch.ranges)
      for (std::uint64_t position = 0; position < range.length; position += cluster_size_) {
        const auto contents = data.first(cluster_size_);
        data = data.subspan(cluster_size_);
        if (!is_as_written(range.offset + position, contents))
          batch.pieces.push_back({range.offset + position, contents});
      }
  }
  void append(const Batch& batch) override {
    for (const Batch::Piece& piece : batch.pieces) add_joined(found_, {piece.guest_offset, cluster_size_});
  }
  void finish() override {}
  std::vector<Extent> found() && { return std::move(found_); }

 private:
  // Zeros are as good as no cluster if nothing is below.
  bool is_as_written(std::uint64_t guest_offset, std::span<const std::byte> contents) const {
    const auto written = table_.find(guest_offset / cluster_size_);
    if (!written) return !has_backing_ && is_zero(contents);
    return *written == digest_of(table_.kind(), contents);
  }

  std::uint64_t cluster_size_;
  bool has_backing_;
  const DigestTable& table_;
  std::vector<Extent> found_;
};

}  // namespace

bool DecodableDisk::try_to_read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  try {
    disk_.read(guest_offset, out);
    return true;
  } catch (const std::system_error& error) {
    if (!is_damage(error.code())) throw;
    return false;
  }
}

void DecodableDisk::read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  if (try_to_read(guest_offset, out)) return;
  while (!out.empty()) {
    const std::uint64_t rest = read_unit() - guest_offset % read_unit();
    const auto part = out.first(std::min<std::uint64_t>(out.size(), rest));
    if (!try_to_read(guest_offset, part)) std::ranges::fill(part, std::byte{0});
    guest_offset += part.size();
    out = out.subspan(part.size());
  }
}

std::vector<Extent> different_clusters(const Reader& image, const DigestTable& table,
                                       const TransferOptions& options) {
  Differences differences(image, table);
  transfer(StoredOrDigested(image, table), differences, options);
  return std::move(differences).found();
}

}  // namespace e2qcow::qcow2
