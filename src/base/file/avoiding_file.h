// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "base/file/forwarding_file.h"

namespace e2qcow {

// A file with areas that must not be touched: reading them fails at once (Errc::unreadable).
class AvoidingFile : public ForwardingFile {
 public:
  // The areas ascend and do not touch.
  AvoidingFile(const ReadableFile& file, std::vector<Extent> areas)
      : ForwardingFile(file), areas_(std::move(areas)) {}

  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  // An area that must not be touched may hold anything, even if the file has a hole there: ddrescue leaves
  // one where it read nothing.
  std::optional<Extent> next_data(std::uint64_t offset) const override;
  void prefetch(Extent range) const override;
  // None: who reads by it could touch the areas.
  std::optional<Descriptor> descriptor() const override { return std::nullopt; }

 private:
  std::vector<Extent> areas_;
};

}  // namespace e2qcow
