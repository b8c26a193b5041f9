// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/filesystem_texts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/file/posix_file.h"
#include "ext2/interpretation/superblock_search.h"
#include "tests/support/real_filesystem.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

namespace fs = std::filesystem;

class FilesystemTexts : public RealFilesystem {
 protected:
  // Of a file system with this tree.
  Collected texts_of(const std::string& options) const {
    const auto file = open(make(options + " -d '" + tree_.path() + "'", "16M"));
    const Filesystem filesystem(*file, find_superblock(*file, {}));
    return collected([&](const TextVisitor& visit) { visit_texts(filesystem, 2, visit); });
  }
  static std::set<std::string> texts(const Collected& all, TextKind kind) {
    std::set<std::string> found;
    for (const CollectedText& text : all)
      if (text.kind == kind) found.insert(text.bytes);
    return found;
  }

  TempDir tree_;
};

TEST_F(FilesystemTexts, AreNamesTargetsAndTheLabel) {
  fs::create_directory(tree_.file("sub"));
  write_text(tree_.file("sub/letter.txt"), "contents");
  fs::create_symlink("/home/me", tree_.file("short"));
  const std::string target(100, 't');
  fs::create_symlink(target, tree_.file("long"));
  for (const std::string options :
       {"-t ext4 -L mine", "-t ext2 -b 1024 -L mine", "-t ext4 -O inline_data -I 256 -L mine",
        "-t ext4 -b 4096 -O ^metadata_csum,^has_journal -L mine"}) {
    const Collected all = texts_of(options);
    const std::set<std::string> names{".", "..", "lost+found", "sub", "letter.txt", "short", "long"};
    EXPECT_EQ(texts(all, TextKind::name), names) << options;
    EXPECT_EQ(texts(all, TextKind::link_target).count("/home/me"), 1) << options;
    EXPECT_EQ(texts(all, TextKind::label), std::set<std::string>{"mine"}) << options;
    const bool has_long = std::ranges::any_of(texts(all, TextKind::link_target), [](const std::string& text) {
      return text.starts_with("tttttttttt");
    });
    EXPECT_TRUE(has_long) << options;
  }
}

TEST_F(FilesystemTexts, ANameHasItsDirectoryAndItsInode) {
  fs::create_directory(tree_.file("sub"));
  write_text(tree_.file("sub/letter.txt"), "contents");
  const Collected all = texts_of("-t ext4");
  const auto find = [&](const std::string& name) {
    return *std::ranges::find_if(all, [&](const auto& text) { return text.bytes == name; });
  };
  EXPECT_EQ(find("sub").owner, 2);
  EXPECT_EQ(find("letter.txt").owner, find("sub").inode);
  EXPECT_EQ(std::ranges::count_if(all, [](const auto& text) { return text.bytes == "letter.txt"; }), 1);
}

TEST_F(FilesystemTexts, TheLabelComesFromEachCopyOfTheSuperblock) {
  const Collected all = texts_of("-t ext4 -b 1024 -L mine");
  EXPECT_EQ(std::ranges::count(all, TextKind::label, &CollectedText::kind), 2);
}

}  // namespace
}  // namespace e2qcow::ext2
