// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <algorithm>
#include <string>

namespace e2qcow {

// Discards everything that is written to it, and reads as zeros.
class NullFile : public File {
 public:
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t, std::span<std::byte> out) const override { std::ranges::fill(out, std::byte{0}); }
  void write(std::uint64_t, std::span<const std::byte>) override {}
  void write(std::uint64_t, std::span<const std::span<const std::byte>>) override {}
  void resize(std::uint64_t new_size) override { size_ = new_size; }

 private:
  std::string name_ = "nowhere";
  std::uint64_t size_ = 0;
};

}  // namespace e2qcow
