// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ext2/selection/findings.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::compat {

// Replaces the names in directory blocks by numbered ones of the same length, as e2image -s does. Unused
// space becomes zero, and so do the indexes of hash trees.
class NameScrambler {
 public:
  // Problems with an entry are passed to `complain`, and the rest of the block is cleared, so that no name
  // remains.
  void scramble(std::span<std::byte> block, const std::function<void(const std::string&)>& complain);

 private:
  void replace(std::span<std::byte> name);

  std::array<std::uint32_t, 256> used_{};  // by length
};

// Updates the checksum at the end of a directory block, if there is one. `seed` is that of the directory's
// inode.
void set_directory_checksum(std::span<std::byte> block, std::uint32_t seed);

// The blocks that belong to directories.
struct DirectoryBlocks {
  struct Run {
    ext2::BlockRun blocks;
    std::uint32_t checksum_seed = 0;
  };
  std::vector<Run> runs;       // ascending
  bool has_checksums = false;  // the file system has them
};
DirectoryBlocks find_directories(const ext2::Filesystem& filesystem);

// A disk with the names in it scrambled. Other than sources in general it is to be read once, front to back,
// by one thread, in whole blocks: the numbers of the names depend on the order.
class ScrambledSource : public ImageSource {
 public:
  // The arguments must outlive the source. `messages` is where complaints about directories go.
  ScrambledSource(const ImageSource& source, const DirectoryBlocks& directories, std::uint32_t block_size,
                  std::FILE* messages)
      : source_(source), directories_(directories), block_size_(block_size), messages_(messages) {}

  std::uint64_t size() const override { return source_.size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    return source_.next_extent(guest_offset);
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override;
  void prefetch(Extent range) const override { source_.prefetch(range); }
  bool wants_hints() const override { return source_.wants_hints(); }
  std::uint64_t read_unit() const override { return source_.read_unit(); }

 private:
  void scramble_block(std::uint64_t block, std::span<std::byte> bytes, std::uint32_t seed) const;

  const ImageSource& source_;
  const DirectoryBlocks& directories_;
  std::uint32_t block_size_;
  std::FILE* messages_;
  mutable NameScrambler names_;
};

}  // namespace e2qcow::compat
