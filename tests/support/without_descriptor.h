// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/file/forwarding_file.h"

namespace e2qcow {

// The same bytes, as of a disk on a server, of which the kernel knows nothing.
class WithoutDescriptor : public ForwardingFile {
 public:
  explicit WithoutDescriptor(const ReadableFile& file) : ForwardingFile(file) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const override { below().read(offset, out); }
  std::optional<Descriptor> descriptor() const override { return std::nullopt; }
};

}  // namespace e2qcow
