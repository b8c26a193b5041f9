// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <blkid/blkid.h>
#include <e2qcow/extent.h>

#include <memory>
#include <type_traits>

#include "base/unique_fd.h"

namespace e2qcow {
class ReadableFile;
}

namespace e2qcow {

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

// A probe of a part of an open disk; of all of it if the part is empty. Null if there can be none.
inline Probe probe_of(int fd, Extent part) {
  Probe probe(blkid_new_probe());
  const bool is_set = probe && blkid_probe_set_device(probe.get(), fd, static_cast<blkid_loff_t>(part.offset),
                                                      static_cast<blkid_loff_t>(part.length)) == 0;
  return is_set ? std::move(probe) : Probe();
}

// A part of a disk where libblkid can look at it: in its own file, or, if it has none, in a copy in memory of
// the front and the end of the part, with nothing between. All of the disk if the part is empty.
class ProbedPart {
 public:
  ProbedPart(const ReadableFile& disk, Extent part);

  int fd() const { return copy_.get() >= 0 ? copy_.get() : fd_; }
  Extent part() const { return part_; }
  bool is_copy() const { return copy_.get() >= 0; }

 private:
  int fd_ = -1;
  UniqueFd copy_;
  Extent part_;
};
inline Probe probe_of(const ProbedPart& probed) {
  return probe_of(probed.fd(), probed.part());
}

// The value that the probe has found under this name; empty if there is none.
inline const char* value_of(const Probe& probe, const char* name) {
  const char* text = nullptr;
  return blkid_probe_lookup_value(probe.get(), name, &text, nullptr) == 0 ? text : "";
}

}  // namespace e2qcow
