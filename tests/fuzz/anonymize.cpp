// SPDX-License-Identifier: GPL-2.0-or-later
// The anonymiser, and the collection of texts for the audit, of the disk that is the input: no byte of a
// block depends on what is read with it, and texts lie on the disk. Whether anything leaks is for
// tests/anonymize.
#include "ext2/anonymize/anonymized_file.h"
#include "ext2/interpretation/superblock_search.h"
#include "ext2/selection/select.h"
#include "ext2/texts/filesystem_texts.h"
#include "ext2/texts/known_words.h"
#include "tests/fuzz/promises.h"
#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

namespace {

Bytes read_in_pieces(const ReadableFile& file, Extent extent, std::uint64_t piece) {
  Bytes bytes(extent.length);
  for (std::uint64_t done = 0; done < extent.length; done += piece) {
    const auto part = std::span(bytes).subspan(done, std::min(piece, extent.length - done));
    file.read(extent.offset + done, part);
  }
  return bytes;
}

void visit_all_texts(const ext2::Filesystem& filesystem, std::uint64_t disk_size) {
  ext2::visit_texts(filesystem, 1, [&](const ext2::Text& text) {
    require(!text.bytes.empty() && text.offset + text.bytes.size() <= disk_size);
    ext2::is_kept(text);
  });
}

Bytes anonymized(const ext2::Filesystem& filesystem, const MemoryFile& file, ext2::Strictness strictness) {
  ext2::Findings findings;
  const auto selected = ext2::select_blocks(filesystem, {.find_roles = true}, findings);
  const ext2::Anonymizer anonymizer(filesystem, selected.roles, ext2::Secret({1}), strictness, 1);
  const std::uint32_t block_size = filesystem.geometry.block_size();
  const ext2::AnonymizedFile out(file, anonymizer, block_size);
  Bytes disk(file.size());
  for (const Extent& extent : anonymizer.without_cleared(selected.extents)) {
    const Bytes bytes = read_in_pieces(out, extent, extent.length);
    require(bytes == read_in_pieces(out, extent, block_size / 2));
    std::ranges::copy(bytes, disk.begin() + static_cast<std::ptrdiff_t>(extent.offset));
  }
  return disk;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const MemoryFile file({bytes.begin(), bytes.end()});
  const auto superblock = ext2::search_superblock(file, {}).superblock;
  if (!superblock) return 0;
  const ext2::Filesystem filesystem(file, *superblock);
  visit_all_texts(filesystem, file.size());
  for (const auto strictness : {ext2::Strictness::plain, ext2::Strictness::strict}) {
    const MemoryFile after(anonymized(filesystem, file, strictness));
    const auto found = ext2::search_superblock(after, {}).superblock;
    if (found) visit_all_texts(ext2::Filesystem(after, *found), after.size());
  }
  return 0;
}
