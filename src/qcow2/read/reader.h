// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "image/dump_record.h"
#include "qcow2/codec/codec.h"
#include "qcow2/format/entry_rules.h"
#include "qcow2/format/format.h"
#include "qcow2/read/content_check.h"
#include "qcow2/read/table_cache.h"

namespace e2qcow::qcow2 {

// How an extent of the disk is stored.
struct Mapping {
  enum class Kind {
    unallocated,
    zeros,
    data,
    compressed
  };  // unallocated: as the backing file has it, or zeros
  Kind kind = Kind::unallocated;
  Extent guest;
  // Of data and compressed clusters; of others if the file has a cluster for them.
  std::optional<std::uint64_t> host_offset{};
  std::uint64_t stored_length = 0;  // of compressed: at most; one cluster each

  bool is_stored() const { return kind == Kind::data || kind == Kind::compressed; }
};

// Whether `next`, which follows `before` in the disk, also follows it in the file and is stored in the same
// way.
bool continues(const Mapping& before, const Mapping& next);

// The sizes that the tables of an image claim, in bytes.
struct TableSummary {
  std::uint64_t plain_bytes = 0;       // of the disk, stored as they are
  std::uint64_t compressed_bytes = 0;  // of the disk, stored compressed
  std::uint64_t tables_end = 0;        // host offset after the last table

  std::uint64_t data_bytes() const { return plain_bytes + compressed_bytes; }
};

// The active state of one qcow2 image, and its header; see Chain for its disk. Everything in the file is
// checked before it is used; invalid input throws (Errc::corrupt, truncated, unsupported).
//
// Several threads may call const functions at once. They only read the image; the caches inside have locks.
class Reader {
 public:
  // `file` must outlive the reader, and so must `data_file`, which has the data of an image with an external
  // data file; for others it must be null. Throws Errc::missing_data_file if it is null and needed.
  explicit Reader(const ReadableFile& file, const ReadableFile* data_file = nullptr);

  std::uint64_t size() const { return header_.size; }
  // From inside the disk. Unallocated clusters read as zeros.
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const;
  // From inside plain data, which is at `host_offset`.
  void read_plain(std::uint64_t host_offset, std::uint64_t guest_offset, std::span<std::byte> out) const;
  std::uint64_t read_unit() const { return header_.geometry().cluster_size(); }

  const Header& header() const { return header_; }
  const std::vector<Extension>& extensions() const { return extensions_; }
  // The name of the backing file as the image has it. Nothing opens it.
  const std::optional<std::string>& backing_file_name() const { return backing_file_name_; }
  // Absent if there is none or it is invalid.
  std::optional<DumpRecord> record() const;
  bool has_record() const { return has_extension(kDumpRecord); }
  bool has_extension(std::uint32_t type) const;
  // Whether a program that does not know us has opened the image for writing since it was dumped. Absent if
  // it cannot be known: images of version 2, those of e2qcow 0.1, and overlays of dumps are not marked.
  // `qemu-img commit` leaves no trace.
  std::optional<bool> was_opened_for_writing() const;
  const ReadableFile& file() const { return file_; }
  // Where the host offsets of data count: the image itself, or its external data file.
  const ReadableFile& data_file() const { return data_file_ == nullptr ? file_ : *data_file_; }

  // From now on shows the contents of each stored cluster that is read, in part or as a whole, to `check`,
  // which throws if they are wrong.
  void check_contents(std::unique_ptr<const ContentCheck> check) { content_check_ = std::move(check); }

  // The longest extent from guest_offset on that is stored in one way and, for data, in one piece. It may end
  // early, at the end of a part of a table. guest_offset is inside the disk.
  Mapping map(std::uint64_t guest_offset) const;

  // The parts of the disk that have an L2 table, each table once, however often a hostile image points to it.
  std::vector<Extent> mapped_ranges() const;

  // Checks the disk's tables before anything is done with the image: none may overlap another or data, and
  // the data may not be more than check_size() accepts. What the disk does not depend on is looked at as
  // well. From then on L2 tables in holes of the file count as absent, because there may be millions of them.
  TableSummary check_tables(std::uint64_t max_ratio = kPlausibleRatio);

  // What check_tables() found that contradicts the format, though the disk does not depend on it; empty:
  // nothing.
  const std::string& contradiction() const { return contradiction_; }

  // Throws if a file of this size cannot hold the tables (Errc::truncated), or is implausibly small for its
  // data (Errc::implausible): smaller than the plain data, or than the compressed data divided by
  // `max_ratio`. For a pipe, whose size is known only at its end.
  void check_size(const TableSummary& tables, std::uint64_t file_size, std::uint64_t max_ratio) const;

  // Data hardly ever compresses better than that.
  static constexpr std::uint64_t kPlausibleRatio = 4096;

 private:
  void load_l1();
  void forget_empty_tables();
  void check(const ClusterEntry& entry, std::uint64_t guest_offset) const;
  Mapping describe(const ClusterEntry& entry, std::uint64_t guest_offset) const;
  void read_compressed(const Mapping& mapping, std::uint64_t guest_offset, std::span<std::byte> out) const;
  void check_plain(std::uint64_t host_offset, std::uint64_t guest_offset,
                   std::span<const std::byte> bytes) const;
  Mapping map_page(std::uint64_t l2_offset, std::uint64_t guest_offset) const;

  const ReadableFile& file_;
  const ReadableFile* data_file_;
  Header header_;
  ImageLimits limits_;       // of tables
  ImageLimits data_limits_;  // of data
  std::vector<Extension> extensions_;
  std::string contradiction_;
  std::optional<std::string> backing_file_name_;
  std::vector<std::uint64_t> l1_;  // host offsets of L2 tables
  TableCache tables_;
  mutable std::mutex mutex_;            // guards the next
  mutable std::string harmless_fault_;  // the first in the entries that were used so far
  mutable CodecPool<Decoder> decoders_;
  std::unique_ptr<const ContentCheck> content_check_;  // null: contents are not checked
};

}  // namespace e2qcow::qcow2
