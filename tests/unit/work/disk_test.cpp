// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/disk.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/ext2_image.h"
#include "tests/unit/work/work_files.h"

namespace e2qcow::work {
namespace {

class DiskOfWork : public testing::Test, protected WorkFiles {
 protected:
  static Disk read(const ImageOptions& options) {
    qcow2::DataFiles none({});
    return DiskFiles(options).read(1, none);
  }
  static std::uint64_t size_of(const std::string& path) { return read({.path = path}).source().size(); }
  // The image, with the superblock of a file system where a raw disk would have it.
  std::string write_ambiguous() const {
    HandMadeImage image = small_image();
    image.bytes.resize(4096);
    const Bytes superblock = ext2::superblock_bytes(ext2::plain_superblock(1024, 8192));
    std::ranges::copy(superblock, image.bytes.begin() + ext2::kSuperblockOffset);
    return write("both", image);
  }
};

TEST_F(DiskOfWork, IsInAnImageOrRaw) {
  EXPECT_EQ(size_of(write("image", small_image())), HandMadeImage::kDiskSize);
  EXPECT_EQ(size_of(write("raw", std::string(5000, 'x'))), 5000);
  EXPECT_EQ(size_of(write("empty", "")), 0);
}

TEST_F(DiskOfWork, IsInTheFormatThatIsSaid) {
  const std::string image = write("image", small_image());
  EXPECT_EQ(size_of(image + ":raw"), small_image().bytes.size());
  EXPECT_EQ(size_of(image + ":qcow2"), HandMadeImage::kDiskSize);
  EXPECT_EQ(code_of([&] { size_of(write("raw", "x") + ":qcow2"); }), Errc::not_qcow2);
}

TEST_F(DiskOfWork, IsNotGuessedAtIfItLooksLikeBoth) {
  const std::string both = write_ambiguous();
  EXPECT_EQ(code_of([&] { size_of(both); }), Errc::ambiguous);
  EXPECT_EQ(size_of(both + ":raw"), 4096);
}

TEST_F(DiskOfWork, HasNoBackingFileIfItIsRaw) {
  const ImageOptions options{.path = write("raw", "x"), .backing = {write("base", "y")}};
  EXPECT_EQ(code_of([&] { read(options); }), Errc::surplus_backing);
}

}  // namespace
}  // namespace e2qcow::work
