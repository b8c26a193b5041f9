// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "nbd/allocation.h"
#include "nbd/connection.h"
#include "nbd/open_nbd.h"
#include "nbd/read_cache.h"

namespace e2qcow::nbd {

// A disk that an NBD server has. Many requests are under way at once. A write returns before it is done; its
// error comes with a later call, with sync() at the latest. An error of the server for a place (EIO) is EIO;
// everything else that keeps the disk from being read or written is of the whole, and stays.
class NbdFile : public File {
 public:
  // Connects, and starts no threads yet.
  NbdFile(const std::string& name, Access access, const Options& options);
  ~NbdFile() override;

  const std::string& name() const override { return server_.name(); }
  std::uint64_t size() const override { return export_.size; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<Extent> next_data(std::uint64_t offset) const override;
  bool can_still_read(std::uint64_t offset) const override;
  void prefetch(Extent range) const override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  using File::write;
  void resize(std::uint64_t new_size) override;
  void zero(Extent range, Zeroing how) override;
  void sync() override;

 private:
  void add_connections(const Options& options);
  void start() const;
  void refuse_outside(Extent range) const;
  Extent in_blocks(Extent range, std::uint64_t block) const;
  RequestPtr ask(Request::Kind kind, Extent range) const;
  void read_uncached(Extent range, std::span<std::byte> out) const;
  bool reads_as_zeros(Extent range) const;
  KnownAllocation::Found learn_allocation(std::uint64_t offset) const;
  void change(const RequestPtr& request);
  void write_part_of_block(std::uint64_t offset, std::span<const std::byte> data);

  const Server server_;
  const bool is_writable_;
  std::unique_ptr<Handle> first_;  // until it has a thread
  const Export export_;
  const std::uint64_t block_;    // requests begin and end at multiples of it
  const std::uint64_t longest_;  // request for bytes
  const std::uint64_t unit_;     // of what is read and kept
  mutable ReadCache cache_;
  mutable KnownAllocation allocation_;
  mutable std::atomic<bool> asks_before_reading_;  // for the allocation, as the answers are long
  std::mutex parts_;                               // only one part of a block is written at a time
  mutable RequestQueue queue_;
  mutable std::once_flag started_;
  std::vector<std::unique_ptr<Connection>> connections_;  // end before what they use
};

}  // namespace e2qcow::nbd
