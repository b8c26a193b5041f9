// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <optional>
#include <vector>

#include "image/dump_record.h"
#include "qcow2/codec/codec.h"
#include "qcow2/format/entry_rules.h"
#include "qcow2/format/format.h"
#include "qcow2/read/table_cache.h"

namespace e2qcow::qcow2 {

// How a stretch of the disk is stored.
struct Mapping {
  enum class Kind {
    unallocated,
    zeros,
    data,
    compressed
  };  // unallocated: as the backing file has it, or zeros
  Kind kind = Kind::unallocated;
  Extent guest;
  // Of data and compressed; of others where room is kept for them.
  std::optional<std::uint64_t> host_offset{};
  std::uint64_t stored_length = 0;  // of compressed: at most; one cluster each

  bool is_stored() const { return kind == Kind::data || kind == Kind::compressed; }
};

// Whether `next`, behind `before` in the disk, is stored in the same way and in one piece with it.
bool continues(const Mapping& before, const Mapping& next);

// The active state of one qcow2 image, and its header; see Chain for its disk. Everything in the file is
// checked before it is used; what makes no sense throws (Errc::corrupt, truncated, unsupported). What is
// const is safe from several threads at once.
class Reader {
 public:
  // `file` must outlive the reader.
  explicit Reader(const ReadableFile& file);

  std::uint64_t size() const { return header_.size; }
  // Inside the disk. What is not allocated comes as zeros.
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const;
  std::uint64_t read_unit() const { return header_.geometry().cluster_size(); }

  const Header& header() const { return header_; }
  const std::vector<Extension>& extensions() const { return extensions_; }
  // The name the image gives its backing file, as it stands there. Nothing opens it.
  const std::optional<std::string>& backing_file_name() const { return backing_file_name_; }
  // Absent where there is none that makes sense.
  std::optional<DumpRecord> record() const;
  bool has_record() const;
  const ReadableFile& file() const { return file_; }

  // The longest stretch from guest_offset on that is stored in one way and, for data, in one piece; it may
  // be cut at the end of a part of a table. guest_offset is inside the disk.
  Mapping map(std::uint64_t guest_offset) const;

  // What of the disk has an L2 table: the ranges of the tables, each table once, however often an image that
  // lies points to it.
  std::vector<Extent> mapped_ranges() const;

  // Goes over all tables, so that what is wrong with them is found before anything is done with the image:
  // tables that overlap, data in their place, and more data than `max_ratio` times what the file has. Returns
  // how many bytes of data there are.
  std::uint64_t check_tables(std::uint64_t max_ratio = kPlausibleRatio);

  // Throws where a file of this size cannot have what check_tables() found: its tables (Errc::truncated), or
  // its data (Errc::implausible). For a pipe, whose size shows at its end.
  void check_size(std::uint64_t file_size, std::uint64_t max_ratio) const;

  // Compressed data is hardly ever smaller than that.
  static constexpr std::uint64_t kPlausibleRatio = 4096;

 private:
  void load_backing_file_name();
  void load_l1();
  void forget_empty_tables();
  void check(const ClusterEntry& entry, std::uint64_t guest_offset) const;
  Mapping describe(const ClusterEntry& entry, std::uint64_t guest_offset) const;
  void read_compressed(const Mapping& mapping, std::uint64_t guest_offset, std::span<std::byte> out);
  Mapping map_page(std::uint64_t l2_offset, std::uint64_t guest_offset) const;

  const ReadableFile& file_;
  Header header_;
  ImageLimits limits_;
  std::vector<Extension> extensions_;
  std::optional<std::string> backing_file_name_;
  std::vector<std::uint64_t> l1_;  // host offsets of L2 tables
  std::uint64_t plain_bytes_ = 0;  // of data, as far as check_tables() has come
  std::uint64_t compressed_bytes_ = 0;
  std::uint64_t tables_end_ = 0;
  TableCache tables_;
  mutable CodecPool<Decoder> decoders_;
};

}  // namespace e2qcow::qcow2
