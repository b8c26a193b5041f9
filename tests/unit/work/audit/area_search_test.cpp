// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "work/audit/area_search.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kPiece = 2 << 20;

PatternSearch search_for(const std::string& text) {
  PatternSearch patterns(4);
  patterns.add(text, 7);
  patterns.prepare();
  return patterns;
}

void put(MemoryFile& file, std::uint64_t offset, const std::string& text) {
  std::ranges::copy(text_bytes(text), file.data().begin() + static_cast<std::ptrdiff_t>(offset));
}

std::vector<std::uint64_t> offsets(FirstHits hits) {
  std::vector<std::uint64_t> offsets;
  for (const Hit& hit : std::move(hits).take()) offsets.push_back(hit.offset);
  return offsets;
}

TEST(AreaSearch, FindsWhatIsAcrossPiecesOnce) {
  MemoryFile file(Bytes(3 * kPiece));
  const std::vector<std::uint64_t> expected{5, kPiece - 3, 2 * kPiece, 3 * kPiece - 6};
  for (const std::uint64_t offset : expected) put(file, offset, "secret");
  for (const unsigned threads : {1U, 4U}) {
    const auto hits = search_area(file, {{0, file.size()}}, search_for("secret"), 10, {.threads = threads});
    EXPECT_EQ(hits.total(), 4);
    EXPECT_EQ(offsets(hits), expected);
  }
}

TEST(AreaSearch, LooksOnlyIntoTheExtents) {
  MemoryFile file(Bytes(4096));
  for (const std::uint64_t offset : {0, 100, 200, 300}) put(file, offset, "secret");
  const std::vector<Extent> extents{{100, 50}, {200, 5}, {300, 6}};
  EXPECT_EQ(offsets(search_area(file, extents, search_for("secret"), 10, {})),
            (std::vector<std::uint64_t>{100, 300}));
}

TEST(AreaSearch, ListsTheFirstHitsWhateverTheThreads) {
  MemoryFile file(Bytes(4 * kPiece));
  for (std::uint64_t offset = 0; offset + 100 < file.size(); offset += 1000) put(file, offset, "secret");
  for (const unsigned threads : {1U, 4U}) {
    const auto hits = search_area(file, {{0, file.size()}}, search_for("secret"), 3, {.threads = threads});
    EXPECT_EQ(hits.total(), 8389);
    EXPECT_EQ(offsets(hits), (std::vector<std::uint64_t>{0, 1000, 2000}));
  }
}

TEST(AreaSearch, AFilesDataIsOneExtentIfItHasNoHoles) {
  EXPECT_EQ(data_extents(MemoryFile(Bytes(100))), (std::vector<Extent>{{0, 100}}));
  EXPECT_TRUE(data_extents(MemoryFile(Bytes(0))).empty());
}

}  // namespace
}  // namespace e2qcow::work
