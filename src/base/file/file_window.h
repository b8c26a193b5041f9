// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>
#include <fmt/format.h>

#include <algorithm>

namespace e2qcow {

// A part of another file, as a partition is of a disk. The file must outlive it.
class FileWindow : public File {
 public:
  // The window must lie inside the file.
  FileWindow(File& file, Extent window) : file_(file), window_(window) {
    if (window.offset > file.size() || window.length > file.size() - window.offset)
      fail(Errc::truncated,
           fmt::format("{}: {} bytes at {} are not inside it", file.name(), window.length, window.offset));
  }

  const std::string& name() const override { return file_.name(); }
  std::uint64_t size() const override { return window_.length; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    check(offset, out.size());
    file_.read(window_.offset + offset, out);
  }
  using File::write;
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    check(offset, data.size());
    file_.write(window_.offset + offset, data);
  }
  void resize(std::uint64_t) override { fail(Errc::refused, name() + ": a part of a file has a fixed size"); }
  void sync() override { file_.sync(); }
  std::optional<Extent> next_data(std::uint64_t offset) const override {
    if (offset >= window_.length) return std::nullopt;
    const auto found = file_.next_data(window_.offset + offset);
    if (!found || found->offset >= window_.end()) return std::nullopt;
    return Extent{found->offset - window_.offset, std::min(found->end(), window_.end()) - found->offset};
  }
  void prefetch(Extent range) const override {
    file_.prefetch({window_.offset + range.offset, range.length});
  }
  std::optional<Descriptor> descriptor() const override {
    auto outer = file_.descriptor();
    if (outer) outer->offset += window_.offset;
    return outer;
  }

 private:
  void check(std::uint64_t offset, std::uint64_t length) const {
    if (offset > window_.length || length > window_.length - offset)
      fail(Errc::truncated, fmt::format("{}: {} bytes at {} are past the end", name(), length, offset));
  }

  File& file_;
  Extent window_;
};

}  // namespace e2qcow
