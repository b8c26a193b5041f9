// SPDX-License-Identifier: GPL-2.0-or-later
// The functions of <ext2fs/qcow2.h>, called by a program in C and by the distribution's e2image.
#include "tests/program/support/e2image.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class E2imageLibrary : public E2imageTest {
 protected:
  void make_image(const Words& options) const {
    Words words{"qemu-img", "convert", "-f", "raw", "-O", "qcow2"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"disk.img", "image.qcow2"});
    output_of(words);
  }
  Outcome by_c() const { return run({E2IMAGE_C_PROGRAM, "image.qcow2", "by-c.raw"}); }
};

TEST_F(E2imageLibrary, RestoresWhatAProgramInCCannotReadOtherwise) {
  make_file_system();
  const std::vector<Words> forms{{"-o", "compat=0.10"},
                                 {"-c", "-o", "compat=0.10"},
                                 {"-o", "compat=1.1"},
                                 {"-c", "-o", "compression_type=zstd"}};
  for (const Words& options : forms) {
    make_image(options);
    write_file(path("by-c.raw"), std::string(40 << 20, 'x'));
    const Outcome outcome = by_c();
    EXPECT_EQ(outcome.status, 0) << outcome;
    expect_same_bytes("by-c.raw", "disk.img");
  }
}

TEST_F(E2imageLibrary, ReturnsTheHeader) {
  make_file_system();
  write_file(path("image.qcow2"), "no image");
  EXPECT_EQ(by_c().out, "no header\n");
  make_image({"-o", "compat=0.10"});
  EXPECT_EQ(by_c().out, "version 2, 0\n");
  patch_file(path("image.qcow2"), 35, "\1");  // encrypted
  EXPECT_EQ(by_c().out, "version 2, -2\n");
  patch_file(path("image.qcow2"), 35, std::string(1, '\0'));
  fs::resize_file(path("image.qcow2"), 5 << 16);
  EXPECT_EQ(by_c().out, "version 2, -3\n");
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "disk.img", "-F", "raw", "image.qcow2"});
  EXPECT_EQ(by_c().out, "version 3, 95\n");  // EOPNOTSUPP
}

TEST_F(E2imageLibrary, RefusesATargetOpenedForAppending) {
  make_file_system();
  make_image({});
  write_file(path("by-c.raw"), "precious");
  EXPECT_EQ(run({E2IMAGE_C_PROGRAM, "image.qcow2", "by-c.raw", "append"}).out, "version 3, 22\n");  // EINVAL
  EXPECT_EQ(read_file(path("by-c.raw")), "precious");
}

TEST_F(E2imageLibrary, PreloadedExtendsTheDistributionsE2image) {
#ifdef E2QCOW_SANITIZED
  GTEST_SKIP() << "this build lacks a library that can be preloaded: it has a sanitizer";
#endif
  make_file_system();
  for (const Words& options :
       {Words{"-c", "-o", "compat=0.10"}, Words{"-c", "-o", "compression_type=zstd"}}) {
    make_image(options);
    const Outcome outcome =
        run({"e2image", "-r", "image.qcow2", "ours.raw"}, {"LD_PRELOAD=" E2IMAGE_LIBRARY});
    EXPECT_EQ(outcome.status, 0) << outcome;
    expect_same_bytes("ours.raw", "disk.img");
    fs::remove(path("ours.raw"));
  }
}

}  // namespace
}  // namespace e2qcow::test
