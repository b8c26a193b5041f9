// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

namespace e2qcow {

// Announces what is read next of a source that is read from front to back: far enough ahead to hide seeks and
// round trips.
class ReadAhead {
 public:
  explicit ReadAhead(const ImageSource& source) : source_(source) {}

  // Gives the hints that are due.
  void announce();
  // Notes that the next bytes of the source's data were taken, and whether their extent ends with them or
  // continues.
  void passed(Extent read, bool ends_extent);

 private:
  const ImageSource& source_;
  std::uint64_t position_ = 0;  // the data before it was announced
  std::uint64_t announced_bytes_ = 0;
  std::uint64_t announced_extents_ = 0;  // to their ends
  std::uint64_t passed_bytes_ = 0;
  std::uint64_t passed_extents_ = 0;
};

}  // namespace e2qcow
