// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/file/pipe_buffer.h"
#include "qcow2/format/digest_seal.h"

namespace e2qcow::qcow2 {

// Collects the digests of the clusters of an image, in guest order, and writes seal and table. Keeps them in
// memory, or in a temporary file if there are millions.
class DigestWriter {
 public:
  DigestWriter(DigestKind kind, Geometry geometry);

  // Appends the digest of each cluster of `contents` to `digests`. May be called by several threads at once.
  void digest(std::span<const std::byte> contents, std::vector<std::byte>& digests) const;
  // Takes the digests of clusters that follow those taken before; `digests` are in the form of digest().
  void append(std::uint64_t first_cluster, std::span<const std::byte> digests);
  // The same for the clusters of a piece, whose digests are the first of `digests`; returns the others.
  std::span<const std::byte> append(const Batch::Piece& piece, std::span<const std::byte> digests);

  std::uint64_t clusters() const { return contents_.count(); }
  // See digest_area_bytes().
  std::uint64_t area_bytes() const;

  // What is digested besides the clusters.
  struct Others {
    Digest header;
    Digest mapping;
    Digest refcounts;
  };
  using Put = std::function<void(std::span<const std::byte>)>;
  // Puts the parts of the area, in order.
  void write(const Others& others, const Put& put) const;

 private:
  void put_table(const Put& put) const;

  DigestKind kind_;
  Geometry geometry_;
  SetDigest contents_;
  PipeBuffer runs_;                     // as in the file
  PipeBuffer digests_;                  // the same
  std::uint64_t next_cluster_ = kNone;  // continues the last run
  static constexpr std::uint64_t kNone = ~0ULL;
};

}  // namespace e2qcow::qcow2
