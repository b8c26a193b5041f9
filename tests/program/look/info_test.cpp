// SPDX-License-Identifier: GPL-2.0-or-later
// What `info` answers to the question whether a dump is whole.
#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

using nlohmann::json;

class Whole : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    require_program("qemu-io");
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({{"-t", "ext4", "-b", "1024"}});
  }

  void dump(const Words& options) const {
    Words words{E2QCOW_PROGRAM, "dump", "-q", "disk.img", "image"};
    words.insert(words.end(), options.begin(), options.end());
    output_of(words);
  }
  void write_by_qemu(const std::string& image) const {
    output_of({"qemu-io", "-c", "write -P 0x5a 1M 64k", image});
  }
  void expect(const std::string& image, const std::string& answer, bool complete) const {
    const std::string text = output_of({E2QCOW_PROGRAM, "info", image});
    EXPECT_NE(text.find("whole:         " + answer), std::string::npos) << text;
    EXPECT_EQ(json::parse(output_of({E2QCOW_PROGRAM, "info", "--json", image}))["dump"]["complete"], complete)
        << answer;
  }
};

TEST_F(Whole, IsADumpThatNoOtherProgramHasOpenedForWriting) {
  dump({});
  expect("image", "yes\n", true);
  write_by_qemu("image");
  expect("image", "not known: another program has opened the image for writing since the dump", false);
}

TEST_F(Whole, IsNotKnownOfVersion2) {
  const std::string answer =
      "not known: such an image does not show whether another program has written to it";
  dump({"--compat=0.10"});
  expect("image", answer, false);
  write_by_qemu("image");
  expect("image", answer, false);
}

TEST_F(Whole, IsNotKnownOfAnOverlay) {
  dump({});
  output_of({E2QCOW_PROGRAM, "exec", "--overlay=overlay", "--", "tune2fs", "-L", "new", "image"});
  const std::string answer = "not known: it is an overlay";
  expect("overlay", answer, false);
  write_by_qemu("overlay");
  expect("overlay", answer, false);
  expect("image", "yes\n", true);
}

}  // namespace
}  // namespace e2qcow::test
