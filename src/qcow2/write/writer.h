// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "image/base_disk.h"
#include "qcow2/codec/codec.h"
#include "qcow2/write/allocator.h"
#include "qcow2/write/digest_writer.h"
#include "qcow2/write/layout.h"
#include "qcow2/write/refcount_writer.h"
#include "qcow2/write/table_writer.h"

namespace e2qcow::qcow2 {

// Writes an image as its layout plans it: tables first, then data in guest order. The header goes last, so
// that an interrupted dump is never taken for an image. doc/format.md lists what readers may rely on.
class Writer : public ImageSink {
 public:
  struct Options {
    std::uint32_t version = 3;
    std::optional<Compression> compression{};                             // absent: none
    TableWriter::Background background = TableWriter::Background::zeros;  // of the file
    std::optional<DigestKind> digest{};  // absent: the image holds no digests of its clusters
    // Called when the header is written, at the very end.
    std::function<std::vector<Extension>()> extensions = [] { return std::vector<Extension>(); };
    // If there is one, only what differs from it is stored, and `backing_name` is its name in the header. It
    // must outlive the writer, and where it has data, the source must have extents. Not for version 2.
    const BaseDisk* base = nullptr;
    std::string backing_name{};
  };

  // `file` must outlive the writer. On a device the layout must fit; a valid header there is destroyed first.
  Writer(File& file, const Layout& layout, Options options);

  std::uint64_t granularity() const override { return layout_.geometry.cluster_size(); }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  void finish() override;

  // What the image takes, in bytes; final after finish().
  std::uint64_t image_size() const { return allocator_.end() + (digests_ ? digests_->area_bytes() : 0); }

 private:
  void compress(Batch& batch) const;
  std::uint64_t allocate(const Batch::Piece& piece);
  void hide_below(const Batch::Piece& piece);
  std::vector<std::byte> first_cluster(const Header& header, const std::vector<Extension>& extensions) const;
  void set_l2_entry(std::uint64_t guest_offset, L2Entry entry);
  void write_digests(const Header& header, std::span<const Extension> extensions);

  File& file_;
  const Layout layout_;
  Options options_;
  mutable CodecPool<Encoder> encoders_;
  RefcountWriter refcounts_;
  Allocator allocator_;
  TableWriter l1_;
  TableWriter l2_;
  std::optional<DigestWriter> digests_;
  std::uint64_t l2_tables_ = 0;        // begun so far
  std::uint64_t l2_index_ = kNoTable;  // which table of the disk the last of them is
  static constexpr std::uint64_t kNoTable = ~0ULL;
};

}  // namespace e2qcow::qcow2
