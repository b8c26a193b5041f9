// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace e2qcow {

// A file in memory, which fails when it is told to.
class MemoryFile : public File {
 public:
  explicit MemoryFile(std::vector<std::byte> data = {}, std::string name = "memory.img")
      : data_(std::move(data)), name_(std::move(name)) {}

  // To look at and to patch; not while other threads use the file.
  std::vector<std::byte>& data() { return data_; }
  const std::vector<std::byte>& data() const { return data_; }

  // The call that changes the file for the n-th time from now on, counted from 0, fails with EIO and does
  // nothing, and so do all after it. Calls are write(), one for each part, resize() and sync().
  void fail_at_write(std::uint64_t n) { fail_at_ = writes_ + n; }
  std::uint64_t writes() const { return writes_; }

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override {
    const std::scoped_lock lock(mutex_);
    return data_.size();
  }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::scoped_lock lock(mutex_);
    if (offset > data_.size() || out.size() > data_.size() - offset)
      fail(Errc::truncated, fmt::format("{}: read at {}: past the end", name_, offset));
    std::copy_n(data_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  }
  using File::write;
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    const std::scoped_lock lock(mutex_);
    count_write("write", offset);
    if (data_.size() < offset + data.size()) data_.resize(offset + data.size());
    std::ranges::copy(data, data_.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  void resize(std::uint64_t new_size) override {
    const std::scoped_lock lock(mutex_);
    count_write("resize", new_size);
    data_.resize(new_size);
  }
  void sync() override {
    const std::scoped_lock lock(mutex_);
    count_write("sync", data_.size());
  }

 private:
  void count_write(const char* operation, std::uint64_t offset) {
    if (fail_at_ && writes_ >= *fail_at_)
      fail_errno(EIO, fmt::format("{}: {} at {}", name_, operation, offset));
    ++writes_;
  }

  mutable std::mutex mutex_;  // guards all below
  std::vector<std::byte> data_;
  std::string name_;
  std::uint64_t writes_ = 0;
  std::optional<std::uint64_t> fail_at_;
};

}  // namespace e2qcow
