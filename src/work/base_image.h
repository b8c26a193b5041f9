// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/dump_record.h"
#include "qcow2/read/known_disk.h"
#include "work/image.h"

namespace e2qcow::work {

// The image of an earlier dump, on which a new one stores only what differs.
struct BaseOptions {
  ImageOptions image{};         // with the backing files of its own; its path is empty if there is no base
  std::string name{};           // how the new image names it; empty: its path, relative to the new image
  bool compare_data = false;    // read all of it, instead of believing its digests
  bool accept_resized = false;  // the device has another size than when the base was made
};

class BaseImage {
 public:
  // `image` is the new image, as users name it. Throws Errc::overwrites_input if that is one of the base's
  // files; Errc::other_base if these do not belong together; Errc::refused for what cannot be a base: an
  // image of version 2, one without the record of a dump, with faults, or with too many backing files, and
  // for a stream without a name for its base.
  BaseImage(const BaseOptions& options, const std::string& image, unsigned threads);

  // Throws Errc::overwrites_input if the output is one of its files.
  void refuse_output(const std::string& output) const;
  // Throws Errc::refused, with the reason, unless a dump with this record may lie on it.
  void refuse_unsuitable(const DumpRecord& record, std::uint64_t disk_size) const;

  std::uint32_t cluster_bits() const { return image_.reader().header().cluster_bits; }
  const qcow2::Chain& disk() const { return image_.disk(); }
  std::span<const std::unique_ptr<qcow2::Reader>> readers() const { return image_.readers(); }
  // The raw file at the bottom; null if there is none.
  const ReadableFile* raw_base() const { return image_.raw_base(); }
  const BaseDisk& known() const { return known_; }
  // Its data on a disk of this size: guest bytes, ascending, not touching.
  std::vector<Extent> extents(std::uint64_t disk_size) const;
  // The name of the backing file of the new image, and what the header says of it.
  const std::string& name() const { return name_; }
  qcow2::Extension identity() const;

 private:
  void say_what_is_doubtful() const;

  BaseOptions options_;
  std::string name_;
  Image image_;
  DumpRecord record_;
  qcow2::KnownDisk known_;
};

// How an image beside `image` names the file `base`, without symbolic links: QEMU looks for it from the
// image's folder on.
std::string name_from(const std::string& image, const std::string& base);

}  // namespace e2qcow::work
