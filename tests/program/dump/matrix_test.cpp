// SPDX-License-Identifier: GPL-2.0-or-later
// All kinds of file systems, dumped and restored, with other people's programs as the judges.
#include <algorithm>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;
  FileSystemOptions options;
};

std::ostream& operator<<(std::ostream& stream, const Case& tested) {
  return stream << tested.name;
}

const std::vector<Case> kCases{
    {"ext2_1k", {{"-t", "ext2", "-b", "1024"}}},
    {"ext2_2k", {{"-t", "ext2", "-b", "2048"}}},
    {"ext2_4k", {{"-t", "ext2", "-b", "4096"}}},
    {"ext3_1k", {{"-t", "ext3", "-b", "1024"}}},
    {"ext3_2k", {{"-t", "ext3", "-b", "2048"}}},
    {"ext3_4k", {{"-t", "ext3", "-b", "4096"}}},
    {"ext4_1k", {{"-t", "ext4", "-b", "1024"}}},
    {"ext4_2k", {{"-t", "ext4", "-b", "2048"}}},
    {"ext4_4k", {{"-t", "ext4", "-b", "4096"}}},
    {"ext4_64k", {{"-t", "ext4", "-b", "65536"}, "128M"}},
    {"revision_0", {{"-t", "ext2", "-r", "0"}}},
    {"no_sparse_super", {{"-t", "ext2", "-b", "1024", "-O", "^sparse_super,^resize_inode"}}},
    {"sparse_super2", {{"-t", "ext4", "-b", "1024", "-O", "sparse_super2,^resize_inode"}}},
    {"no_extents", {{"-t", "ext4", "-O", "^extents,^64bit"}}},
    {"no_64bit", {{"-t", "ext4", "-b", "1024", "-O", "^64bit"}}},
    {"no_flex_bg", {{"-t", "ext4", "-b", "1024", "-O", "^flex_bg"}}},
    {"flex_bg_of_2", {{"-t", "ext4", "-b", "1024", "-G", "2"}}},
    {"small_groups", {{"-t", "ext4", "-b", "1024", "-g", "1024", "-O", "^resize_inode"}}},
    {"meta_bg", {{"-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"}}},
    {"meta_bg_32bit", {{"-t", "ext2", "-b", "1024", "-g", "256", "-O", "meta_bg,^resize_inode"}}},
    {"bigalloc", {{"-t", "ext4", "-O", "bigalloc", "-C", "16384"}}},
    {"bigalloc_1k", {{"-t", "ext4", "-b", "1024", "-O", "bigalloc", "-C", "16384"}}},
    {"inline_data", {{"-t", "ext4", "-O", "inline_data"}}},
    {"ea_inode", {{"-t", "ext4", "-O", "ea_inode"}, "32M", {"ea_set -f tree/large /small/file3 user.huge"}}},
    {"quota", {{"-t", "ext4", "-O", "quota", "-E", "quotatype=usrquota:grpquota"}}},
    {"project", {{"-t", "ext4", "-O", "quota,project", "-E", "quotatype=prjquota"}}},
    {"mmp", {.tune2fs = {"-O", "mmp"}}},
    {"orphan_file", {{"-t", "ext4", "-O", "orphan_file"}}},
    {"large_dir", {{"-t", "ext4", "-b", "1024", "-O", "large_dir"}}},
    {"casefold", {{"-t", "ext4", "-O", "casefold"}, "32M", {"mkdir folded", "sif folded flags 0x40080000"}}},
    {"encrypt", {{"-t", "ext4", "-O", "encrypt"}, "32M", {"sif /small/file9 flags 0x80800"}}},
    {"verity", {{"-t", "ext4", "-O", "verity"}, "32M", {"sif /large flags 0x180000"}}},
    {"fast_commit", {{"-t", "ext4", "-O", "fast_commit"}}},
    {"no_checksums", {{"-t", "ext4", "-O", "^metadata_csum,^uninit_bg"}}},
    {"uninit_bg", {{"-t", "ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg"}}},
    {"metadata_csum_seed", {{"-t", "ext4", "-O", "metadata_csum,metadata_csum_seed"}}},
    {"inodes_of_128", {{"-t", "ext4", "-I", "128"}}},
    {"inodes_of_1024", {{"-t", "ext4", "-I", "1024"}}},
    {"stride", {{"-t", "ext4", "-b", "1024", "-E", "stride=16,stripe-width=64"}}},
    {"packed", {{"-t", "ext4", "-b", "1024", "-O", "^resize_inode", "-E", "packed_meta_blocks=1"}}},
    {"all_tables_initialised", {{"-t", "ext4", "-E", "lazy_itable_init=0,lazy_journal_init=0"}}},
    {"external_journal_absent",
     {{"-t", "ext4", "-O", "^has_journal"},
      "32M",
      {"feature has_journal", "ssv journal_dev 0x801",
       "ssv journal_uuid 11111111-2222-3333-4444-555555555555"}}},
    {"journal_to_replay",
     {{"-t", "ext4"}, "32M", {"journal_open", "journal_write -b 20000 xattr-value", "journal_close"}}},
};

// Without it, the tests below would show less than they say.
TEST_F(FileSystemTest, FileSystemsForTestsHaveAllKindsOfMetadata) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  const auto look = [this](const std::string& request) {
    return output_of({"debugfs", "-R", request, "disk.img"});
  };
  EXPECT_NE(look("htree_dump /many").find("Root node dump"), std::string::npos);
  EXPECT_NE(look("dump_extents /with-holes").find(" 2/ 2"), std::string::npos);
  EXPECT_EQ(look("stat /small/file2").find("File ACL: 0"), std::string::npos);
  EXPECT_NE(look("stat /long-link").find("EXTENTS"), std::string::npos);
  EXPECT_NE(read_file(path("disk.img")).find(kMarker), std::string::npos);
  fs::remove_all(path("tree"));
  fs::remove(path("disk.img"));
  make_file_system({{"-t", "ext2", "-b", "1024"}});
  EXPECT_NE(look("stat /far-away").find("(TIND)"), std::string::npos);
}

class Matrix : public FileSystemTest, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make_file_system(GetParam().options);
  }

  void dump_and_restore(Words options) const {
    options.insert(options.begin(), {"dump", "disk.img", "image.qcow2"});
    copy_disk(path("disk.img"), path("before.img"));
    const Outcome dump = e2qcow(options);
    EXPECT_EQ(dump.status, 0) << dump;
    expect_same_bytes("disk.img", "before.img");
    expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  }

  void expect_no_contents_of_files() const {
    if (GetParam().name == "inline_data") return;  // they are in inodes there
    EXPECT_EQ(read_file(path("ours.raw")).find(kMarker), std::string::npos);
  }

  void expect_all_that_e2image_takes() const {
    if (run({"e2image", "-r", "disk.img", "theirs.raw"}).status != 0) return;  // it cannot do all of them
    const std::string theirs = read_file(path("theirs.raw"));
    const std::string ours = read_file(path("ours.raw"));
    const std::string zeros(1024, '\0');
    for (std::size_t offset = 0; offset + 1024 <= theirs.size(); offset += 1024) {
      if (theirs.compare(offset, 1024, zeros) == 0) continue;
      ASSERT_EQ(ours.compare(offset, 1024, theirs, offset, 1024), 0) << "at " << offset;
    }
  }
};

TEST_P(Matrix, AMetadataDumpHoldsWhatJudgesLookAtAndNoContentsOfFiles) {
  dump_and_restore({});
  expect_same_metadata("ours.raw");
  expect_all_that_e2image_takes();
  expect_no_contents_of_files();
}

TEST_P(Matrix, ADumpOfAllHoldsEveryBlockInUseAndEveryFile) {
  dump_and_restore({"--all"});
  expect_same_metadata("ours.raw");
  expect_same_blocks_in_use("ours.raw");
  expect_same_files("ours.raw");
}

INSTANTIATE_TEST_SUITE_P(FileSystems, Matrix, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

class ImageForms : public FileSystemTest, public ::testing::WithParamInterface<Words> {};

TEST_P(ImageForms, HoldTheSameDisk) {
  make_file_system({{"-t", "ext4", "-b", "1024"}});
  Words words{"dump", "--all", "disk.img", "image.qcow2"};
  words.insert(words.end(), GetParam().begin(), GetParam().end());
  const Outcome dump = e2qcow(words);
  EXPECT_EQ(dump.status, 0) << dump;
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_blocks_in_use("ours.raw");
}

std::string form_name(const ::testing::TestParamInfo<Words>& info) {
  std::string name;
  for (const std::string& word : info.param)
    for (const char letter : word) name += std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Versions, ImageForms,
                         ::testing::Values(Words{"--compat=1.1"}, Words{"--compat=0.10"},
                                           Words{"--compat=0.10", "--cluster-size=512"},
                                           Words{"--compat=0.10", "--cluster-size=2M"}),
                         form_name);
INSTANTIATE_TEST_SUITE_P(ClusterSizes, ImageForms,
                         ::testing::Values(Words{"--cluster-size=512"}, Words{"--cluster-size=1024"},
                                           Words{"--cluster-size=4k"}, Words{"--cluster-size=64k"},
                                           Words{"--cluster-size=1M"}, Words{"--cluster-size=2M"},
                                           Words{"--cluster-size=auto"}),
                         form_name);

}  // namespace
}  // namespace e2qcow::test
