// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/content_check.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

namespace e2qcow::qcow2 {

TableCheck::TableCheck(std::unique_ptr<const DigestTable> table, std::string name)
    : table_(std::move(table)), name_(std::move(name)) {}

void TableCheck::check(std::uint64_t cluster, std::span<const std::byte> contents) const {
  const auto written = table_->find(cluster);
  if (!written || *written != digest_of(table_->kind(), contents))
    fail(Errc::wrong_digest, fmt::format("{}: the cluster at guest offset {} is not what was written: it is "
                                         "damaged, or was committed into by qemu-img",
                                         name_, cluster * contents.size()));
  slot(cluster) = cluster + 1;
}

bool TableCheck::is_settled(std::uint64_t cluster) const {
  return slot(cluster) == cluster + 1;
}

void SetCheck::check(std::uint64_t cluster, std::span<const std::byte> contents) const {
  const Digest digest = digest_of(kind_, contents);
  const std::scoped_lock lock(mutex_);
  read_.add(cluster, std::span(digest.bytes).first(digest_size(kind_)));
}

SetDigest SetCheck::read() const {
  const std::scoped_lock lock(mutex_);
  return read_;
}

}  // namespace e2qcow::qcow2
