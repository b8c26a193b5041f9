// SPDX-License-Identifier: GPL-2.0-or-later
// Map files as GNU ddrescue writes them: what they do not call finished is not read, and is zeros in the
// image.
#include "tests/program/support/frozen.h"

namespace e2qcow::test {
namespace {

struct Map {
  std::string name;
  std::size_t unfinished;  // where that begins
  std::size_t end;
};

class FrozenRescueMaps : public FrozenTest, public testing::WithParamInterface<Map> {};

TEST_P(FrozenRescueMaps, KeepWhatIsNotFinishedFromBeingRead) {
  const auto& [name, unfinished, end] = GetParam();
  unpack("ext");
  unpack("ddrescue");
  const Outcome dump =
      e2qcow({"dump", "-q", "--all", "--bad-blocks", name + ".map", "ext2.img", "image.qcow2"});
  EXPECT_EQ(dump.status, unfinished == end ? 0 : 3) << dump;
  EXPECT_EQ(e2qcow({"restore", "-q", "image.qcow2", "restored.raw"}).status, 0);
  // All that is in use on this disk is in the image, and what is free is zeros on it.
  std::string expected = read_file(path("ext2.img"));
  expected.replace(unfinished, end - unfinished, end - unfinished, '\0');
  EXPECT_TRUE(read_file(path("restored.raw")) == expected);
}

INSTANTIATE_TEST_SUITE_P(Maps, FrozenRescueMaps,
                         testing::Values(Map{"finished", 0, 0}, Map{"begun", 0x249f0 / 1024 * 1024, 0x100000},
                                         Map{"bad", 0xf000, 0x10000}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace e2qcow::test
