// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "qcow2/format/digest_seal.h"
#include "qcow2/read/digest_table.h"

namespace e2qcow::qcow2 {

// Is shown the contents of the clusters of an image as they are read. Safe from several threads.
class ContentCheck {
 public:
  virtual ~ContentCheck() = default;
  // The guest contents of a whole stored cluster.
  virtual void check(std::uint64_t cluster, std::span<const std::byte> contents) const = 0;
  // If only a part of a cluster is read: whether the rest of it need not be read for a check.
  virtual bool is_settled(std::uint64_t cluster) const = 0;
};

// Throws Errc::wrong_digest if the contents of a cluster are not what was written.
class TableCheck : public ContentCheck {
 public:
  // `name` is the image's.
  TableCheck(std::unique_ptr<const DigestTable> table, std::string name);
  void check(std::uint64_t cluster, std::span<const std::byte> contents) const override;
  bool is_settled(std::uint64_t cluster) const override;

 private:
  std::atomic<std::uint64_t>& slot(std::uint64_t cluster) const {
    return settled_[cluster % settled_.size()];
  }

  std::unique_ptr<const DigestTable> table_;
  std::string name_;
  mutable std::array<std::atomic<std::uint64_t>, 16384> settled_{};  // cluster + 1, of those checked last
};

// Collects the digests of what is read, to be compared in the end. For an image in a pipe, whose digests come
// last: each of its clusters must be read once, as a whole.
class SetCheck : public ContentCheck {
 public:
  explicit SetCheck(DigestKind kind) : kind_(kind), read_(kind) {}
  void check(std::uint64_t cluster, std::span<const std::byte> contents) const override;
  bool is_settled(std::uint64_t) const override { return false; }
  SetDigest read() const;

 private:
  DigestKind kind_;
  mutable std::mutex mutex_;  // guards read_
  mutable SetDigest read_;
};

}  // namespace e2qcow::qcow2
