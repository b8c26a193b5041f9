// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/file/posix_file.h"

namespace e2qcow {

// A file without a name that lies in memory until more than `memory` bytes were written to it, then in
// `directory`. Nothing of it remains when it is destroyed.
class SpoolFile : public File {
 public:
  static constexpr std::uint64_t kMemory = 256 << 20;

  explicit SpoolFile(std::string directory, std::uint64_t memory = kMemory);

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override;
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  using File::write;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  void resize(std::uint64_t new_size) override;
  std::optional<Extent> next_data(std::uint64_t offset) const override;

  bool is_in_memory() const;

 private:
  void move_to_disk();

  const std::string name_ = "temporary file";
  const std::string directory_;
  const std::uint64_t memory_;

  mutable std::mutex mutex_;   // guards the members below
  std::uint64_t written_ = 0;  // bytes, those written twice counted twice
  bool in_memory_ = true;
  std::unique_ptr<PosixFile> file_;
};

}  // namespace e2qcow
