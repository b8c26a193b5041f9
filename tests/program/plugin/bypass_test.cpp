// SPDX-License-Identifier: GPL-2.0-or-later
// Programs under `e2qcow exec` that do not see the disk in an image, but the image file.
#include <fstream>

#include "tests/program/support/plugin.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class PluginBypass : public PluginTest {
 protected:
  void SetUp() override {
    PluginTest::SetUp();
    require_program("cc");
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system();
    make_image();
  }

  // A program that changes the first byte of its file, whose name is its last word, or the part after "=".
  void compile(const std::string& name, const Words& options = {}, const std::string& text = "") const {
    write_file(path("source.c"), R"(#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int count, char** words) {
  char* value = strchr(words[count - 1], '=');
  int fd = open(value ? value + 1 : words[count - 1], O_RDWR);
  puts(")" + text + R"(");
  return write(fd, "x", 1) != 1;
})");
    Words words{"cc", "source.c", "-o", "image/" + name};
    words.insert(words.end(), options.begin(), options.end());
    output_of(words);
  }
  void expect_refused(const Words& words, int status, const std::string& reason) const {
    const std::string before = read_file(path("image/disk.img"));
    const Outcome outcome = on_image(words);
    EXPECT_EQ(outcome.status, status) << outcome;
    EXPECT_NE(outcome.err.find(reason), std::string::npos) << outcome;
    EXPECT_TRUE(read_file(path("image/disk.img")) == before) << words[0] << " changed the image";
  }
};

TEST_F(PluginBypass, StaticProgramsGetNoImage) {
  compile("program", {"-static"});
  expect_refused({"./program", "disk.img"}, 126, "./program: is linked statically");
  expect_refused({"./program", "disk.img?offset=1024"}, 126, "./program: is linked statically");
  write_file(path("image/raw"), "text");
  EXPECT_EQ(on_image({"./program", "raw"}), (Outcome{0, "\n", ""}));
  EXPECT_EQ(read_file(path("image/raw")), "xext");
}

TEST_F(PluginBypass, SetuidProgramsGetNoImage) {
  compile("program");
  fs::permissions(path("image/program"), fs::perms::set_uid, fs::perm_options::add);
  expect_refused({"./program", "disk.img"}, 126, "./program: is setuid or setgid");
}

// As a plain build of e2fsprogs makes it.
TEST_F(PluginBypass, ProgramsWithTheirOwnLibext2fsGetNoImage) {
  compile("program", {}, "Unix I/O Manager");
  const std::string reason = "./program: has a copy of libext2fs built in";
  expect_refused({"./program", "disk.img"}, 126, reason);
  expect_refused({"sh", "-c", "./program disk.img"}, 126, reason);
  expect_refused({"env", "./program", "disk.img?offset=0"}, 126, reason);
}

// Whatever leads to it: the kernel makes it wait, and it is killed.
TEST_F(PluginBypass, AProgramThatOpensTheImageFileForWritingIsKilled) {
  compile("static", {"-static"});
  compile("dynamic");
  write_file(path("image/script"), "#!/bin/sh\nexec ./static --file=$1\n");
  fs::permissions(path("image/script"), fs::perms::owner_exec, fs::perm_options::add);
  for (const Words& words :
       {Words{"./dynamic", "disk.img"}, Words{"./static", "--file=disk.img"}, Words{"./script", "disk.img"},
        Words{"sh", "-c", "./static --file=disk.img"}, Words{"env", "./static", "--file=disk.img"},
        Words{"env", "-i", "./dynamic", "disk.img"}, Words{"sh", "-c", "echo >disk.img; true"},
        Words{"sh", "-c", "env - ./dynamic 'disk.img'"}})
    expect_refused(words, 126, "opened the file itself for writing and was killed; it is unchanged\n");
  expect_refused({"sh", "-c", "truncate -s 0 disk.img; exit 9"}, 9,
                 "could not open the file itself for writing");
}

// It sees the disk, and knows what it does.
TEST_F(PluginBypass, TheOutputOfE2imageMayBeAnImageOfBefore) {
  for (const char* option : {"-Qa", "-ra"}) {
    const Outcome outcome = on_image({"sh", "-c", std::string("e2image ") + option + " disk.img output"});
    EXPECT_EQ(outcome.status, 0) << outcome;
    EXPECT_EQ(outcome.err.find(kOurLines), std::string::npos) << outcome;
  }
}

TEST_F(PluginBypass, OverlaysMayBeWrittenTo) {
  const Words overlay{"--overlay", "overlay"};
  const Words repair{"sh", "-c",
                     "tune2fs -L new disk.img && dumpe2fs -h disk.img | grep new && "
                     "qemu-img check -q overlay && ./dynamic overlay"};
  compile("dynamic");
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = on_image(repair, overlay);
    EXPECT_EQ(outcome.status, 0) << outcome;
    EXPECT_EQ(outcome.err.find(kOurLines), std::string::npos) << outcome;
    patch_file(path("image/overlay"), 0, "Q");
  }
}

// As of a virtual machine.
TEST_F(PluginBypass, AnImageThatIsOpenForWritingCannotBeGuarded) {
  const std::ofstream writer(path("image/disk.img"), std::ios::app);
  const Outcome outcome = on_image({"dumpe2fs", "-h", "disk.img"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_NE(outcome.err.find("e2qcow: disk.img: programs cannot be kept from writing to it: it is open"),
            std::string::npos)
      << outcome;
}

TEST_F(PluginBypass, AnImageThatNoProgramOpensAsADiskIsReported) {
  for (const Words& words : {Words{"cat", "disk.img"}, Words{"env", "-i", "/sbin/dumpe2fs", "disk.img"}})
    EXPECT_NE(on_image(words).err.find("e2qcow: disk.img: no program opened it as a disk"), std::string::npos)
        << words[0];
  for (const Words& words :
       {Words{"sh", "-c", "true"}, Words{"env", "dumpe2fs", "disk.img"},
        Words{"nice", "dumpe2fs", "disk.img"}, Words{"timeout", "50", "dumpe2fs", "disk.img"},
        Words{"sh", "-c", "dumpe2fs $0", "disk.img"}})
    EXPECT_EQ(on_image(words).err.find(kOurLines), std::string::npos) << on_image(words);
}

}  // namespace
}  // namespace e2qcow::test
