// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>

#include <map>
#include <mutex>
#include <vector>

namespace e2qcow {

// Reads from a file that may be damaged: what cannot be read, or is past the end, comes as zeros and is
// remembered by the block. Blocks that failed once are not tried again.
class SalvagingFile : public File {
 public:
  struct Options {
    std::uint32_t block_size = 4096;  // the smallest piece that is given up
    unsigned retries = 1;             // of a block, after its first failure
    bool strict = false;              // throw instead
  };

  // `file` must outlive it.
  explicit SalvagingFile(const File& file, const Options& options) : file_(file), options_(options) {}

  const std::string& name() const override { return file_.name(); }
  std::uint64_t size() const override { return file_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  using File::write;
  void write(std::uint64_t, std::span<const std::byte>) override {
    fail(Errc::refused, name() + ": read-only");
  }
  void resize(std::uint64_t) override { fail(Errc::refused, name() + ": read-only"); }
  std::optional<Extent> next_data(std::uint64_t offset) const override { return file_.next_data(offset); }
  void prefetch(Extent range) const override { file_.prefetch(range); }
  std::optional<Descriptor> descriptor() const override { return file_.descriptor(); }

  bool is_lost(Extent range) const override;
  // What could not be read so far: ascending, touching extents joined.
  std::vector<Extent> losses() const;

 private:
  void read_halves(std::uint64_t offset, std::span<std::byte> out) const;
  void add_loss(Extent block) const;
  void read_block(std::uint64_t offset, std::span<std::byte> out) const;
  void read_what_may_be_touched(std::uint64_t offset, std::span<std::byte> out) const;

  const File& file_;
  Options options_;
  mutable std::mutex mutex_;                               // guards losses_
  mutable std::map<std::uint64_t, std::uint64_t> losses_;  // offset -> length, none touching
};

}  // namespace e2qcow
