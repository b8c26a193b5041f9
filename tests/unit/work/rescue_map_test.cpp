// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/rescue_map.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace e2qcow::work {
namespace {

using Extents = std::vector<Extent>;

constexpr std::uint64_t kEnd = ~0ULL;

Extents unfinished(std::string_view text) {
  return RescueMap::parse(text, "disk.map").unfinished();
}

// As GNU ddrescue 1.27 writes them.
TEST(RescueMap, TellsWhatIsNotFinished) {
  EXPECT_EQ(unfinished("# Mapfile. Created by GNU ddrescue version 1.27\n"
                       "# Command line: ddrescue /dev/sdb disk.img disk.map\n"
                       "# Start time:   2024-01-01 10:00:00\n"
                       "# current_pos  current_status  current_pass\n"
                       "0x00001400     ?               1\n"
                       "#      pos        size  status\n"
                       "0x00000000  0x00001000  +\n"
                       "0x00001000  0x00000200  -\n"
                       "0x00001200  0x00000E00  +\n"
                       "0x00002000  0x00000400  /\n"
                       "0x00002400  0x00000400  *\n"
                       "0x00002800  0x00000800  +\n"
                       "0x00003000  0x00001000  ?\n"
                       "0x00004000  0x00001000  +\n"),
            (Extents{{0x1000, 0x200}, {0x2000, 0x800}, {0x3000, 0x1000}, {0x5000, kEnd - 0x5000}}));
}

TEST(RescueMap, ReadsNumbersAndLinesAsDdrescueDoes) {
  EXPECT_EQ(unfinished("0 ?\r\n0\t010 +  # octal\n\n8 0x8 -\n"), (Extents{{8, kEnd - 8}}));
  EXPECT_EQ(unfinished("0x0 F 1\n0x1000 0x1000 +"), (Extents{{0, 0x1000}, {0x2000, kEnd - 0x2000}}));
}

TEST(RescueMap, RefusesWhatIsNoSuchMap) {
  for (const std::string_view text :
       {"", "# nothing\n", "0x0 ? 1\n", "0 ?\n0 512 x\n", "0 ?\n0 512 ++\n", "0 ?\n0 512\n", "0 ?\n0 0x +\n",
        "0 ?\n0 512 +\n1024 512 -\n", "0 ?\n0 512 +\n256 512 -\n", "0 ?\n0 0xFFFFFFFFFFFFFFFF +\n",
        "0 ?\n0x7FFFFFFFFFFFFFFF 1 +\n", "hello\n"})
    EXPECT_EQ(code_of([&] { unfinished(text); }), Errc::corrupt) << text;
}

TEST(RescueMap, NamesTheLineThatIsInvalid) {
  const Ending ending = ending_of([] { unfinished("# a comment\n0 ?\n0 512 +\n512 x +\n"); });
  EXPECT_EQ(ending.text, "disk.map: line 4 is not valid in a ddrescue map file");
}

TEST(RescueMap, IsWrittenAsDdrescueReadsIt) {
  const Extents finished{{0x200, 0x800}, {0x1000, 0x1000}};
  const Extents bad{{0x400, 0x200}, {0x1E00, 0x400}};
  EXPECT_EQ(RescueMap(0x4000, finished, bad).text("x"),
            "# Mapfile. Created by x\n"
            "# current_pos  current_status  current_pass\n"
            "0x00000000     ?               1\n"
            "#      pos        size  status\n"
            "0x00000000  0x00000200  ?\n"
            "0x00000200  0x00000200  +\n"
            "0x00000400  0x00000200  -\n"
            "0x00000600  0x00000400  +\n"
            "0x00000A00  0x00000600  ?\n"
            "0x00001000  0x00000E00  +\n"
            "0x00001E00  0x00000400  -\n"
            "0x00002200  0x00001E00  ?\n");
}

TEST(RescueMap, HasTheStatusOfAnotherMapIfThatKeptItFromBeingRead) {
  const auto known = RescueMap::parse(
      "0 ?\n0 0x200 +\n0x200 0x200 ?\n0x400 0x200 *\n0x600 0x200 /\n"
      "0x800 0x200 -\n0xA00 0x200 +\n",
      "known.map");
  const Extents bad{{0, 0x300}, {0x400, 0x600}, {0xB00, 0x200}};
  EXPECT_EQ(RescueMap(0x1000, Extents{{0, 0x1000}}, bad).explained_by(known).text("x"),
            "# Mapfile. Created by x\n"
            "# current_pos  current_status  current_pass\n"
            "0x00000000     ?               1\n"
            "#      pos        size  status\n"
            "0x00000000  0x00000200  -\n"
            "0x00000200  0x00000100  ?\n"
            "0x00000300  0x00000100  +\n"
            "0x00000400  0x00000200  *\n"
            "0x00000600  0x00000200  /\n"
            "0x00000800  0x00000200  -\n"
            "0x00000A00  0x00000100  +\n"
            "0x00000B00  0x00000100  -\n"
            "0x00000C00  0x00000100  ?\n"
            "0x00000D00  0x00000300  +\n");
}

TEST(RescueMap, IsReadAsItWasWritten) {
  const std::string text = RescueMap(1 << 20, Extents{{4096, 8192}}, Extents{{8192, 512}}).text("x");
  EXPECT_EQ(unfinished(text), (Extents{{0, 4096}, {8192, 512}, {12288, kEnd - 12288}}));
}

}  // namespace
}  // namespace e2qcow::work
