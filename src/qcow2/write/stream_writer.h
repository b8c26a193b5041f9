// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <optional>
#include <span>
#include <vector>

#include "base/file/output_stream.h"
#include "qcow2/write/digest_writer.h"
#include "qcow2/write/layout.h"

namespace e2qcow::qcow2 {

// Writes an uncompressed image to a pipe, front to back. All clusters of the plan are stored, even zeros,
// because the tables are written before the data is read.
class StreamWriter : public ImageSink {
 public:
  // Writes everything before the data. Throws Errc::refused if the layout was not planned for `extents`. The
  // stream must outlive the writer. Without `digest` the image holds no digests of its clusters.
  StreamWriter(OutputStream& out, const Layout& layout, std::uint32_t version,
               std::span<const Extension> extensions, std::span<const Extent> extents,
               std::optional<DigestKind> digest = std::nullopt);

  std::uint64_t granularity() const override { return layout_.geometry.cluster_size(); }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  // Throws Errc::changed if the data that was appended is not what the tables promise.
  void finish() override;

 private:
  void write_l1(std::span<const Extent> extents);
  void write_refcounts();
  void write_l2(std::span<const Extent> extents);
  void put(std::uint64_t value);
  void pad_to(std::uint64_t host_offset);
  std::uint64_t position() const { return out_.written() + buffer_.size() * sizeof(std::uint64_t); }
  void flush();
  void begin_digest_of(Hasher* hasher);

  // What the image holds of digests.
  struct Digests {
    explicit Digests(DigestKind kind, Geometry geometry);
    DigestWriter clusters;
    Digest header;
    Hasher mapping;
    Hasher refcounts;
  };

  OutputStream& out_;
  const Layout layout_;
  std::vector<std::uint64_t> buffer_;  // of tables, as in the file
  std::optional<Digests> digests_;
  Hasher* hasher_ = nullptr;  // of the table that is being written, if any
};

}  // namespace e2qcow::qcow2
