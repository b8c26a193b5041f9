// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <functional>
#include <string>
#include <vector>

namespace e2qcow {

// A file that is written nearly in order, and whose bytes are passed on in order: a write goes back at most
// `reach` bytes before the end of what was written. What was never written is zeros.
class OrderedFile : public File {
 public:
  using Consume = std::function<void(std::span<const std::byte>)>;

  // `begin`: the offset of the first byte that is passed on. Writes before it go to `front`, which must
  // outlive it; none has bytes of both.
  OrderedFile(File& front, std::uint64_t begin, std::uint64_t reach, Consume consume);

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  using File::write;
  // Throws Errc::refused if it goes back too far.
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  void resize(std::uint64_t new_size) override { size_ = new_size; }

  // What was not passed on yet, up to the size. It stays here.
  std::span<const std::byte> rest();

 private:
  std::string name_ = "ordered file";
  File& front_;
  const std::uint64_t begin_;
  const std::uint64_t reach_;
  Consume consume_;
  std::uint64_t size_ = 0;
  std::uint64_t passed_;           // offset of the first byte of the window
  std::vector<std::byte> window_;  // not passed on yet
};

}  // namespace e2qcow
