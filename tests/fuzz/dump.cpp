// SPDX-License-Identifier: GPL-2.0-or-later
// A whole dump, of metadata and of all: its blocks are selected, the image is written, the checker finds
// nothing in it, and the disk reads back. The input is the disk. What stands in its boot block means nothing
// to ext2; the first bytes there choose the options.
#include "ext2/interpretation/superblock_search.h"
#include "ext2/names/affected_files.h"
#include "ext2/selection/select.h"
#include "image/extent_source.h"
#include "qcow2/check/checker.h"
#include "qcow2/read/chain.h"
#include "qcow2/read/compare_contents.h"
#include "qcow2/read/digest_state.h"
#include "qcow2/write/writer.h"
#include "tests/fuzz/promises.h"
#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

namespace {

struct Options {
  qcow2::Geometry geometry{};
  std::optional<qcow2::Compression> compression{};
  bool most_important_first = false;
  bool names_files = false;
};

Options options_of(std::span<const std::byte> boot_block) {
  const auto choice = [&](std::size_t index) { return static_cast<unsigned>(boot_block[index]); };
  Options options;
  options.geometry.cluster_bits = qcow2::kMinClusterBits + choice(0) % 8;
  if (choice(1) % 4 == 1) options.compression = {qcow2::CompressionType::zlib, 1};
  if (choice(1) % 4 == 2) options.compression = {qcow2::CompressionType::zstd, 1};
  options.most_important_first = (choice(2) & 1) != 0;
  options.names_files = (choice(2) & 2) != 0;
  return options;
}

void check_extents(const ext2::SelectedExtents& selected, std::uint64_t size) {
  std::uint64_t end = 0;
  std::uint64_t bytes = 0;
  for (const Extent& extent : selected.extents) {
    require(!extent.empty() && (extent.offset > end || end == 0) && extent.end() <= size);
    end = extent.end();
    bytes += extent.length;
  }
  require(selected.bytes() == bytes);
}

// The disk that a dump of these extents holds.
Bytes wanted_disk(const MemoryFile& file, std::span<const Extent> extents) {
  Bytes disk(image_size(file));
  for (const Extent& extent : extents)
    std::ranges::copy(std::span(file.data()).subspan(extent.offset, extent.length),
                      disk.begin() + static_cast<std::ptrdiff_t>(extent.offset));
  return disk;
}

void write(const MemoryFile& file, const std::vector<Extent>& extents, const Options& options, File& image) {
  const auto clusters = qcow2::count_clusters(extents, options.geometry);
  const auto layout = qcow2::plan_layout(options.geometry, image_size(file), clusters);
  qcow2::Writer writer(image, layout, {.compression = options.compression, .digest = DigestKind::xxh3});
  ExtentSource source(file, extents);
  transfer(source, writer, {});
}

Bytes read_back(const File& image) {
  const qcow2::CheckResult found = qcow2::check(image, {.data = true});
  require(found.corruptions == 0 && found.leaks == 0);
  qcow2::Reader reader(image);
  reader.check_tables();
  const qcow2::DigestState digests = qcow2::read_digest_state(reader);
  require(digests.table && digests.tables_are_as_written());
  require(qcow2::different_clusters(reader, *digests.table, {}).empty());
  qcow2::Chain chain({&reader}, nullptr);
  Bytes disk(chain.size());
  chain.read(0, disk);
  return disk;
}

// Returns the disk in the image.
Bytes dump(const ext2::Filesystem& filesystem, const MemoryFile& file, DumpKind kind,
           const Options& options) {
  ext2::Findings findings;
  const auto selected = ext2::select_blocks(
      filesystem,
      {.kind = kind, .most_important_first = options.most_important_first, .remember = options.names_files},
      findings);
  check_extents(selected, file.size());
  const Extent everything{0, file.size()};
  if (selected.owners) ext2::find_file_names(filesystem, &*selected.owners, std::span(&everything, 1), {});
  MemoryFile image;
  write(file, selected.extents, options, image);
  Bytes disk = read_back(image);
  require(disk == wanted_disk(file, selected.extents));
  return disk;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const MemoryFile file({bytes.begin(), bytes.end()});
  const auto superblock = ext2::search_superblock(file, {}).superblock;
  if (!superblock) return 0;
  const ext2::Filesystem filesystem(file, *superblock);
  const Options options = options_of(bytes);
  const Bytes metadata = dump(filesystem, file, DumpKind::metadata, options);
  const Bytes all = dump(filesystem, file, DumpKind::all, options);
  for (std::size_t i = 0; i < metadata.size(); ++i)
    require(metadata[i] == std::byte{0} || metadata[i] == all[i]);
  return 0;
}
