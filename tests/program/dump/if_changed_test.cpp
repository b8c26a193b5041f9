// SPDX-License-Identifier: GPL-2.0-or-later
// Images that are kept because they hold what the disk has.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class IfChanged : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make_file_system();
  }

  Outcome dump(const Words& options = {}, const std::string& image = "image.qcow2") const {
    Words words{"dump", "--if-changed", "disk.img", image};
    words.insert(words.end(), options.begin(), options.end());
    return e2qcow(words);
  }
  ino_t inode() const {
    struct stat status {};
    EXPECT_EQ(::stat(path("image.qcow2").c_str(), &status), 0);
    return status.st_ino;
  }
  // A new image is another file; it is then as one that is made alone.
  bool is_kept(const Words& options = {}) const {
    const fs::path older = path("older");
    fs::create_hard_link(path("image.qcow2"), older);  // so that its number is not used again
    const ino_t before = inode();
    EXPECT_EQ(dump(options).status, 0);
    Words alone{"dump", "-q", "disk.img", "alone.qcow2"};
    alone.insert(alone.end(), options.begin(), options.end());
    EXPECT_EQ(e2qcow(alone).status, 0);
    EXPECT_EQ(e2qcow({"compare", "-q", "image.qcow2", "alone.qcow2"}).status, 0);
    fs::remove(older);
    return inode() == before;
  }
};

TEST_F(IfChanged, AnImageOfTheSameStateIsKept) {
  for (const Words& options :
       {Words{}, Words{"--all"}, Words{"--compress=none"}, Words{"--cluster-size=4k"}}) {
    EXPECT_EQ(dump(options).status, 0);
    EXPECT_TRUE(is_kept(options));
    EXPECT_TRUE(is_kept(options));
    fs::remove(path("image.qcow2"));
  }
}

TEST_F(IfChanged, ItIsSaid) {
  EXPECT_EQ(dump().err.find("kept"), std::string::npos);
  EXPECT_EQ(dump(), (Outcome{0, "", "image.qcow2: holds this state already, and is kept\n"}));
  EXPECT_EQ(dump({"-q"}), (Outcome{0, "", ""}));
  EXPECT_EQ(nlohmann::json::parse(dump({"--json"}).out)["kept"], true);
  patch_file(path("disk.img"), 1024 + 120, "label");
  EXPECT_EQ(nlohmann::json::parse(dump({"--json"}).out)["kept"], false);
}

// Whatever is changed, though no time or counter is.
TEST_F(IfChanged, AByteThatADumpReadsMakesANewImage) {
  const std::uint64_t inode_table = std::stoull(output_of(
      {"sh", "-c", "dumpe2fs disk.img 2>/dev/null | sed -n 's/.*Inode table at \\([0-9]*\\)-.*/\\1/p'"}));
  for (const std::uint64_t offset : {inode_table * block_size() + 11 * 256 + 0x18, std::uint64_t{0}}) {
    dump();
    patch_file(path("disk.img"), offset, "\x11");
    EXPECT_FALSE(is_kept()) << offset;
  }
}

TEST_F(IfChanged, OnlyWhatIsDumpedCounts) {
  const std::uint64_t contents = first_block_of("/large") * block_size() + 5;
  dump();
  patch_file(path("disk.img"), contents, "other");
  EXPECT_TRUE(is_kept());
  EXPECT_FALSE(is_kept({"--all"}));
  EXPECT_TRUE(is_kept({"--all"}));
  patch_file(path("disk.img"), contents, "again");
  EXPECT_FALSE(is_kept({"--all"}));
  EXPECT_FALSE(is_kept()) << "the other kind of dump";
}

TEST_F(IfChanged, AFileSystemThatWasMadeAnewMakesANewImage) {
  dump();
  output_of({"tune2fs", "-U", "random", "disk.img"});
  EXPECT_FALSE(is_kept());
  fs::resize_file(path("disk.img"), fs::file_size(path("disk.img")) + 4096);
  EXPECT_FALSE(is_kept());
}

TEST_F(IfChanged, AnImageThatIsNotWholeIsReplaced) {
  dump();
  output_of({"qemu-io", "-c", "read 0 512", "image.qcow2"});  // opened for writing
  EXPECT_FALSE(is_kept());
  fs::resize_file(path("image.qcow2"), fs::file_size(path("image.qcow2")) / 2);
  EXPECT_FALSE(is_kept());
  // In the last cluster of the file, which begins with compressed data.
  patch_file(path("image.qcow2"), fs::file_size(path("image.qcow2")) - (64 << 10), std::string(200, '\x5a'));
  EXPECT_FALSE(is_kept());
  write_file(path("image.qcow2"), "something else");
  EXPECT_FALSE(is_kept());
  output_of({"qemu-img", "convert", "-O", "qcow2", "image.qcow2", "by-qemu.qcow2"});
  fs::rename(path("by-qemu.qcow2"), path("image.qcow2"));
  EXPECT_FALSE(is_kept());
}

TEST_F(IfChanged, AnonymisedDumpsAreKeptWithTheSameKey) {
  const Words with_key{"--anonymize", "--anonymize-key=key"};
  dump(with_key);
  EXPECT_TRUE(is_kept(with_key));
  EXPECT_FALSE(is_kept());
}

TEST_F(IfChanged, NeedsAFile) {
  EXPECT_EQ(dump({}, "-").status, 2);
  EXPECT_EQ(dump({"--to-device"}).status, 2);
  EXPECT_EQ(dump({"--freeze"}).status, 2);
}

}  // namespace
}  // namespace e2qcow::test
