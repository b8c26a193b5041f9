// SPDX-License-Identifier: GPL-2.0-or-later
// A dump of metadata is given to strangers: it has no contents of files in it.
#include "tests/program/support/file_systems.h"
#include "tests/support/random.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

struct Kind {
  const char* name;
  Words mke2fs;
};
std::string name_of_kind(const testing::TestParamInfo<Kind>& tested) {
  return tested.param.name;
}
std::ostream& operator<<(std::ostream& out, const Kind& kind) {
  return out << kind.name;
}

class Contents : public FileSystemTest, public testing::WithParamInterface<Kind> {
 protected:
  std::uint64_t markers_in(const std::string& file) const {
    const std::string bytes = read_file(path(file));
    std::uint64_t count = 0;
    for (std::size_t i = bytes.find(kMarker); i != std::string::npos; i = bytes.find(kMarker, i + 1)) ++count;
    return count;
  }
  void dump_and_restore() const {
    const Outcome dump = e2qcow({"dump", "--force", "disk.img", "image.qcow2"});
    EXPECT_TRUE(dump.status == 0 || dump.status == 3) << dump;
    EXPECT_EQ(e2qcow({"restore", "image.qcow2", "ours.raw"}).status, 0);
  }
};

INSTANTIATE_TEST_SUITE_P(
    Kinds, Contents,
    testing::Values(Kind{"Ext2", {"-t", "ext2", "-b", "1024"}}, Kind{"Ext3", {"-t", "ext3", "-b", "1024"}},
                    Kind{"Ext4", {"-t", "ext4", "-b", "1024"}},
                    Kind{"Ext4Of4KiB", {"-t", "ext4", "-b", "4096"}},
                    Kind{"SmallGroups", {"-t", "ext4", "-b", "1024", "-g", "512", "-O", "^flex_bg"}},
                    Kind{"Bigalloc", {"-t", "ext4", "-b", "1024", "-O", "bigalloc", "-C", "8192"}}),
    name_of_kind);

TEST_P(Contents, AreNotInADumpOfMetadata) {
  make_file_system({GetParam().mke2fs});
  ASSERT_GT(markers_in("disk.img"), 10'000);
  dump_and_restore();
  EXPECT_EQ(markers_in("ours.raw"), 0);
}

// The blocks are unused, or belong to another file: no block map leads there.
TEST_P(Contents, OfDeletedFilesAreNotInADumpOfMetadata) {
  make_file_system({GetParam().mke2fs});
  debugfs_write({"rm /large", "rm /hard-link", "rm /with-holes", "rm /small/file30"});
  ASSERT_GT(markers_in("disk.img"), 10'000);
  dump_and_restore();
  EXPECT_EQ(markers_in("ours.raw"), 0);
}

TEST_P(Contents, AreInADumpOfAll) {
  make_file_system({GetParam().mke2fs});
  EXPECT_EQ(e2qcow({"dump", "--all", "disk.img", "image.qcow2"}).status, 0);
  EXPECT_EQ(e2qcow({"restore", "image.qcow2", "ours.raw"}).status, 0);
  EXPECT_EQ(markers_in("ours.raw"), markers_in("disk.img"));
}

// Bytes here and there, at random. What is damaged may lead anywhere, but most of it leads nowhere; the mode
// of a file that becomes that of a directory makes e2fsck look at all of it, and is rare.
TEST_P(Contents, AreNextToNotInADumpOfADamagedFileSystem) {
  make_file_system({GetParam().mke2fs});
  fs::rename(path("disk.img"), path("original.img"));
  const std::string original = read_file(path("original.img"));
  const int trials = rounds(10);
  Random random;
  int with_contents = 0;
  for (int trial = 0; trial < trials; ++trial) {
    copy_disk(path("original.img"), path("disk.img"));
    for (int i = 0; i < 20;) {
      const std::uint64_t offset = 1024 + random.below(2 << 20);
      if (original[offset] == '\0' || original.compare(offset / 64 * 64, 4, kMarker, 4) == 0) continue;
      patch_file(path("disk.img"), offset, std::string(1, static_cast<char>(random.below(256))));
      ++i;
    }
    dump_and_restore();
    if (markers_in("ours.raw") > markers_in("disk.img") / 50) ++with_contents;
  }
  EXPECT_LE(with_contents, trials / 3);
}

}  // namespace
}  // namespace e2qcow::test
