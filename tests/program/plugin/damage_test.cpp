// SPDX-License-Identifier: GPL-2.0-or-later
// Images that are damaged, lie, or look like something else: programs get errors with our text, and nothing
// worse.
#include <algorithm>
#include <csignal>

#include "base/bytes.h"
#include "tests/program/support/plugin.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

// By a signal as of a crash; programs also return other numbers above 128.
bool has_crashed(const Outcome& outcome) {
  constexpr int kSignalled = 128;
  const std::vector<int> signals{SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV};
  return std::ranges::find(signals, outcome.status - kSignalled) != signals.end();
}

class PluginDamage : public PluginTest {
 protected:
  void SetUp() override {
    PluginTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make_file_system({{"-t", "ext4", "-b", "1024"}});
  }

  // Where an image of compressed clusters of 4 KiB has that of a guest offset.
  std::uint64_t compressed_offset(std::uint64_t guest_offset) const {
    const std::string image = read_file(path("image/disk.img"));
    const auto word = [&](std::uint64_t offset) {
      return load_be<std::uint64_t>(std::as_bytes(std::span(image)), offset);
    };
    const std::uint64_t l2_offset = word(word(40) + (guest_offset >> 21) * 8) & 0x00ff'ffff'ffff'fe00;
    return word(l2_offset + (guest_offset >> 12) % 512 * 8) & ((1ULL << 58) - 1);
  }
};

TEST_F(PluginDamage, WhatCannotBeDecompressedIsAnErrorWithItsPlace) {
  make_image({"", {E2QCOW_PROGRAM, "dump", "-q", "--cluster-size=4k", "{raw}", "{image}"}});
  copy_disk(path("disk.img"), path("raw/disk.img"));
  const std::uint64_t block = first_block_of("/many");
  patch_file(path("image/disk.img"), compressed_offset(block * 1024), std::string(16, '\x55'));
  const Outcome outcome = on_image({"e2fsck", "-fn", "disk.img"});
  EXPECT_FALSE(has_crashed(outcome)) << outcome;
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE((outcome.out + outcome.err).find("the image is damaged"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("e2qcow: disk.img: guest offset "), std::string::npos) << outcome;
  EXPECT_LT(std::ranges::count(outcome.err, '\n'), 100);
}

TEST_F(PluginDamage, TruncatedImagesAreErrorsAndNoZeros) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.name);
    make_image(kind);
    const std::string whole = read_file(path("image/disk.img"));
    for (const std::size_t percent : {1, 20, 50, 80}) {  // files follow
      write_file(path("image/disk.img"), whole.substr(0, whole.size() * percent / 100));
      const Outcome outcome = on_image({"e2fsck", "-fn", "disk.img"});
      EXPECT_FALSE(has_crashed(outcome)) << percent << ": " << outcome;
      EXPECT_NE(outcome.status, 0) << percent;
      EXPECT_NE(outcome.err.find(kOurLines), std::string::npos) << percent;
    }
  }
}

TEST_F(PluginDamage, PatchedTablesKillNoProgram) {
  make_image(kinds()[2]);
  const std::string whole = read_file(path("image/disk.img"));
  for (std::size_t offset = 8; offset < std::min<std::size_t>(whole.size(), 1 << 16); offset += 977) {
    std::string patched = whole;
    patched.replace(offset, 8, "\x80\x7f\xff\x01\xfe\x33\x55\xcc", 8);
    write_file(path("image/disk.img"), patched);
    for (const Words& words : {Words{"dumpe2fs", "disk.img"}, Words{"debugfs", "-R", "ls", "disk.img"}})
      EXPECT_FALSE(has_crashed(on_image(words))) << words[0] << ", patched at " << offset;
  }
}

TEST_F(PluginDamage, AnOverlayIsNotContinuedIfItIsDamaged) {
  make_image();
  EXPECT_EQ(on_image({"tune2fs", "-L", "once", "disk.img"}, {"--overlay", "overlay"}).status, 0);
  patch_file(path("image/overlay"), 2 * 4096 + 6, std::string(2, '\0'));  // refcounts
  const std::string before = read_file(path("image/overlay"));
  const Outcome outcome = on_image({"tune2fs", "-L", "twice", "disk.img"}, {"--overlay", "overlay"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(read_file(path("image/overlay")) == before);
}

TEST_F(PluginDamage, ADiskThatLooksLikeAnImageIsNotGuessedAt) {
  make_image();
  patch_file(path("raw/disk.img"), 0, read_file(path("image/disk.img")).substr(0, 512));
  copy_disk(path("raw/disk.img"), path("image/disk.img"));
  const Outcome outcome = on_image({"dumpe2fs", "disk.img"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("looks like a qcow2 image and like an ext2/3/4 file system"), std::string::npos);
}

TEST_F(PluginDamage, BackingFilesComeOnlyFromTheCommandLine) {
  require_program("strace");
  if (IsSkipped()) return;
  make_image();
  fs::rename(path("image/disk.img"), path("image/SECRET"));
  output_of({"sh", "-c", "cd image && qemu-img create -q -f qcow2 -b SECRET -F qcow2 disk.img"});
  const Outcome alone = on_image({"strace", "-f", "-e", "trace=file", "-o", "trace", "dumpe2fs", "disk.img"});
  EXPECT_NE(alone.status, 0);
  EXPECT_NE(alone.err.find("--backing"), std::string::npos) << alone;
  EXPECT_EQ(read_file(path("image/trace")).find("SECRET"), std::string::npos);
  const Outcome named = on_image({"dumpe2fs", "disk.img"}, {"--backing", "SECRET"});
  EXPECT_EQ(first_difference(named, on_raw({"dumpe2fs", "disk.img"})), "");
}

TEST_F(PluginDamage, BackingFilesMayHaveAnyName) {
  make_image();
  const std::string name = "a name: \n,?//x\n";
  fs::create_directory(path("image/a name: \n,?"));
  fs::rename(path("image/disk.img"), path("image/" + name));
  output_of(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "base", "-F", "qcow2", "image/middle", "32M"});
  output_of(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "m", "-F", "qcow2", "image/disk.img", "32M"});
  const Outcome named =
      on_image({"dumpe2fs", "disk.img"}, {"--backing", "middle", "--backing", name + ":qcow2"});
  EXPECT_EQ(first_difference(named, on_raw({"dumpe2fs", "disk.img"})), "");
}

TEST_F(PluginDamage, AProgramThatIsNotThereIsSaid) {
  const Outcome outcome = e2qcow({"exec", "--", "no-such-program"});
  EXPECT_EQ(outcome.status, 127);
  EXPECT_NE(outcome.err.find("no-such-program: No such file"), std::string::npos);
  EXPECT_EQ(e2qcow({"exec"}).status, 2);
}

TEST_F(PluginDamage, AProgramThatIsEndedByASignalIsSaid) {
  const Outcome outcome = e2qcow({"exec", "--", "sh", "-c", "kill -KILL $$"});
  EXPECT_EQ(outcome.status, 128 + SIGKILL);
  EXPECT_EQ(outcome.err, "e2qcow: sh was ended by signal 9 (Killed)\n");
  for (const char* signal : {"INT", "PIPE"})  // as shells do
    EXPECT_EQ(e2qcow({"exec", "--", "sh", "-c", std::string("kill -") + signal + " $$"}).err, "");
}

}  // namespace
}  // namespace e2qcow::test
