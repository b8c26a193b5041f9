// SPDX-License-Identifier: GPL-2.0-or-later
// Programs under `e2qcow exec` that do not see the disk in an image, but the image file.
#include <fstream>

#include "tests/program/support/block_devices.h"
#include "tests/program/support/plugin.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

// A program that changes the first byte of its file, whose name is its last word, or the part after "=".
void compile_writer(const fs::path& program, Words options, const std::string& text = "") {
  const std::string source = program.string() + ".c";
  write_file(source, R"(#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int count, char** words) {
  char* value = strchr(words[count - 1], '=');
  int fd = open(value ? value + 1 : words[count - 1], O_RDWR);
  puts(")" + text + R"(");
  return write(fd, "x", 1) != 1;
})");
  options.insert(options.begin(), {"cc", source, "-o", program});
  const Outcome outcome = run(options, program.parent_path());
  EXPECT_EQ(outcome.status, 0) << outcome;
}

class PluginBypass : public PluginTest {
 protected:
  void SetUp() override {
    PluginTest::SetUp();
    require_program("cc");
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system();
    make_image();
  }

  void compile(const std::string& name, const Words& options = {}, const std::string& text = "") const {
    compile_writer(path("image/" + name), options, text);
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
  write_file(path("image/script"), "#!/bin/sh\nset *.img\n./program -x $1\n");
  fs::permissions(path("image/script"), fs::perms::owner_exec, fs::perm_options::add);
  for (const Words& words :
       {Words{"sh", "-c", "./program disk.img"}, Words{"sh", "-c", "PATH=. program disk.img"},
        Words{"./script"}, Words{"env", "./program", "disk.img"}, Words{"env", "-i", "./program", "disk.img"},
        Words{"sh", "-c", "echo disk.img | xargs ./program"},
        Words{"timeout", "50", "./program", "disk.img"}})
    expect_refused(words, 126, "is linked statically and would open the image file disk.img itself");
  write_file(path("image/raw"), "text");
  EXPECT_EQ(on_image({"sh", "-c", "./program raw"}), (Outcome{0, "\n", ""}));
  write_file(path("image/raw"), "text");
  EXPECT_EQ(on_image({"./program", "raw"}), (Outcome{0, "\n", ""}));
  EXPECT_EQ(read_file(path("image/raw")), "xext");
}

TEST_F(PluginBypass, SetuidProgramsGetNoImage) {
  compile("program");
  fs::permissions(path("image/program"), fs::perms::set_uid, fs::perm_options::add);
  for (const Words& words : {Words{"./program", "disk.img"}, Words{"sh", "-c", "./program *.img"}})
    expect_refused(words, 126, "./program: is setuid or setgid");
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

class ShownImage : public BlockDeviceTest {};

// A loop device can be written to, and so can its file through it.
TEST_F(ShownImage, IsNotWrittenToThroughALoopDevice) {
  require_program("cc");
  if (IsSkipped()) return;
  make_file_system();
  output_of({E2QCOW_PROGRAM, "dump", "-q", "disk.img", "image.qcow2"});
  output_of({"truncate", "-s", "%512", "image.qcow2"});  // a loop device leaves out the rest
  const std::string before = read_file(path("image.qcow2"));
  compile_writer(path("writer"), {"-static"});
  const std::string device = attach("image.qcow2");
  for (const Words& words : {Words{"./writer", device}, Words{"sh", "-c", "./writer " + device},
                             Words{"sh", "-c", "./writer image.qcow2"}}) {
    Words all{"exec", "--"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = e2qcow(all);
    EXPECT_EQ(outcome.status, 126) << outcome;
    EXPECT_NE(outcome.err.find("is linked statically and would open the image"), std::string::npos)
        << outcome;
  }
  const Outcome check = e2qcow({"exec", "--", "e2fsck", "-fy", device});
  EXPECT_EQ(check.status, 0) << check;
  EXPECT_NE(check.err.find("programs cannot be kept from writing to it: it is open for writing already"),
            std::string::npos)
      << check;
  EXPECT_TRUE(read_file(path("image.qcow2")) == before);
}

}  // namespace
}  // namespace e2qcow::test
