// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>

#include <algorithm>
#include <string>

namespace e2qcow::work {

// A text in memory, as a file to read from. The text must outlive it.
class TextFile : public ReadableFile {
 public:
  explicit TextFile(const std::string& text) : text_(text) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return text_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size() || out.size() > size() - offset) fail(Errc::truncated, name_ + ": read past the end");
    std::ranges::copy(std::as_bytes(std::span(text_)).subspan(offset, out.size()), out.begin());
  }

 private:
  const std::string& text_;
  std::string name_ = "report";
};

}  // namespace e2qcow::work
