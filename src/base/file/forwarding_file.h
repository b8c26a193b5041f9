// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

namespace e2qcow {

// The base of a file that stands for another one, which must outlive it: passes on everything except reading;
// override what differs. read_up_to() follows from read() and size().
class ForwardingFile : public ReadableFile {
 public:
  const std::string& name() const override { return file_.name(); }
  std::uint64_t size() const override { return file_.size(); }
  std::optional<Extent> next_data(std::uint64_t offset) const override { return file_.next_data(offset); }
  bool is_lost(Extent range) const override { return file_.is_lost(range); }
  bool can_still_read(std::uint64_t offset) const override { return file_.can_still_read(offset); }
  void prefetch(Extent range) const override { file_.prefetch(range); }
  std::optional<Descriptor> descriptor() const override { return file_.descriptor(); }

 protected:
  explicit ForwardingFile(const ReadableFile& file) : file_(file) {}
  const ReadableFile& below() const { return file_; }

 private:
  const ReadableFile& file_;
};

}  // namespace e2qcow
