// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <vector>

#include "base/file/forwarding_file.h"

namespace e2qcow {

// Reads from a file that may be damaged: blocks that cannot be read, or lie past the end, come as zeros and
// are remembered. A block that failed once is not tried again.
class SalvagingFile : public ForwardingFile {
 public:
  struct Options {
    std::uint32_t block_size = 4096;  // the smallest piece that is given up
    unsigned retries = 1;             // of a block, after its first failure
    bool strict = false;              // throw instead
  };

  SalvagingFile(const ReadableFile& file, const Options& options) : ForwardingFile(file), options_(options) {}

  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  bool is_lost(Extent range) const override { return failed(range) || below().is_lost(range); }
  // The extents that could not be read so far: ascending, adjacent ones joined.
  std::vector<Extent> losses() const;

 private:
  bool failed(Extent range) const;
  void read_halves(std::uint64_t offset, std::span<std::byte> out) const;
  void add_loss(Extent block) const;
  void note_success(std::uint64_t offset) const;
  void fail_if_gone() const;
  void read_block(std::uint64_t offset, std::span<std::byte> out) const;
  void read_what_may_be_touched(std::uint64_t offset, std::span<std::byte> out) const;

  Options options_;
  // To find out whether the device is gone, or only places of it are bad:
  static constexpr std::uint64_t kNone = ~0ULL;
  mutable std::atomic<std::uint64_t> readable_{kNone};     // an offset
  mutable std::atomic<unsigned> failures_{0};              // one after the other
  mutable std::mutex mutex_;                               // guards losses_
  mutable std::map<std::uint64_t, std::uint64_t> losses_;  // offset -> length, none touching
};

}  // namespace e2qcow
