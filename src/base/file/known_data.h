// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

namespace e2qcow {

// The last answers of a file system to "where does data begin after this offset, and where does it end?". To
// ask again for each piece of a large extent takes time that grows with the square of its length: tmpfs looks
// at every page up to the next hole. Several answers, because readers and read-ahead ask in turns. Safe from
// several threads.
class KnownData {
 public:
  // The first data at or after `asked`; absent: only holes follow.
  struct Answer {
    std::uint64_t asked;
    std::optional<Extent> data;
  };

  // Absent if it is not known.
  std::optional<Answer> at(std::uint64_t offset) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& known : answers_) {
      if (!known || offset < known->asked) continue;
      if (!known->data) return Answer{offset, std::nullopt};
      const Extent& data = *known->data;
      const std::uint64_t begin = std::max(offset, data.offset);
      if (begin < data.end()) return Answer{offset, Extent{begin, data.end() - begin}};
    }
    return std::nullopt;
  }
  void add(const Answer& answer) {
    const std::scoped_lock lock(mutex_);
    answers_[next_] = answer;
    next_ = (next_ + 1) % answers_.size();
  }
  // After a change of the file.
  void forget() {
    const std::scoped_lock lock(mutex_);
    answers_ = {};
  }

 private:
  mutable std::mutex mutex_;
  std::array<std::optional<Answer>, 4> answers_;
  std::size_t next_ = 0;
};

}  // namespace e2qcow
