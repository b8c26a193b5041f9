// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <functional>

namespace e2qcow {

// A file of which only what differs is written: it reads what is there first. For one thread that writes.
class DifferingWrites : public File {
 public:
  // `file` must outlive it. `before_first` is called before anything is changed, once or never; it may itself
  // change the file.
  explicit DifferingWrites(
      File& file, std::function<void()> before_first = [] {})
      : file_(file), before_first_(std::move(before_first)) {}

  const std::string& name() const override { return file_.name(); }
  std::uint64_t size() const override { return file_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override { file_.read(offset, out); }
  std::optional<Extent> next_data(std::uint64_t offset) const override { return file_.next_data(offset); }
  std::optional<Descriptor> descriptor() const override { return file_.descriptor(); }

  using File::write;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  void zero(Extent range, Zeroing how) override;
  void resize(std::uint64_t new_size) override;
  void sync() override { file_.sync(); }
  void write_back(Extent range) override { file_.write_back(range); }

  // Bytes that differed, in units of kUnit, and were written or cleared.
  std::uint64_t written() const { return written_; }
  static constexpr std::uint64_t kUnit = 4096;

 private:
  void begin();

  File& file_;
  std::function<void()> before_first_;
  bool has_begun_ = false;
  std::uint64_t written_ = 0;
};

}  // namespace e2qcow
