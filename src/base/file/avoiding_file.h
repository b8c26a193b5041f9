// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>

#include <vector>

namespace e2qcow {

// A file of which some areas must not be touched: reading them fails at once (Errc::unreadable).
class AvoidingFile : public File {
 public:
  // `file` must outlive it. The areas ascend and do not touch.
  AvoidingFile(const File& file, std::vector<Extent> areas) : file_(file), areas_(std::move(areas)) {}

  const std::string& name() const override { return file_.name(); }
  std::uint64_t size() const override { return file_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  using File::write;
  void write(std::uint64_t, std::span<const std::byte>) override {
    fail(Errc::refused, name() + ": read-only");
  }
  void resize(std::uint64_t) override { fail(Errc::refused, name() + ": read-only"); }
  std::optional<Extent> next_data(std::uint64_t offset) const override { return file_.next_data(offset); }
  void prefetch(Extent range) const override;
  std::optional<Descriptor> descriptor() const override { return file_.descriptor(); }

 private:
  bool overlaps_an_area(Extent range) const;

  const File& file_;
  std::vector<Extent> areas_;
};

}  // namespace e2qcow
