// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "tests/support/errors.h"

extern "C" {
#include <et/com_err.h>
}

namespace e2qcow {
namespace {

struct Text {
  Errc code;
  const char* text;
};
constexpr Text kTexts[] = {
    {Errc::not_ext2, "no ext2/3/4 file system found"},
    {Errc::not_qcow2, "not a qcow2 image"},
    {Errc::unsupported, "not supported"},
    {Errc::corrupt, "the image is damaged"},
    {Errc::truncated, "ends too early"},
    {Errc::in_use, "in use"},
    {Errc::too_small, "too small"},
    {Errc::refused, "refused"},
    {Errc::interrupted, "interrupted"},
    {Errc::unreadable, "could not be read"},
    {Errc::missing_backing, "needs a backing file"},
    {Errc::unknown_format, "the format of a backing file is not known"},
    {Errc::surplus_backing, "has no backing file"},
    {Errc::ambiguous, "looks like a qcow2 image and like a raw disk"},
    {Errc::implausible, "claims more data than it can hold"},
    {Errc::too_large, "too large"},
    {Errc::mounted, "mounted read-write"},
    {Errc::unknown_mounts, "cannot determine whether it is mounted"},
    {Errc::metadata_only, "holds only metadata"},
    {Errc::has_partitions, "holds partitions"},
    {Errc::no_superblock, "no superblock in the chosen block"},
    {Errc::small_clusters, "clusters are too small"},
    {Errc::overwrites_input, "would overwrite its input"},
    {Errc::is_device, "is a block device"},
    {Errc::begins_elsewhere, "a file system begins elsewhere"},
    {Errc::older_remains, "remains of an older file system"},
    {Errc::other_overlay, "is an overlay of another image"},
    {Errc::missing_data_file, "needs an external data file"},
    {Errc::surplus_data_file, "has no external data file"},
    {Errc::changed, "changed while it was read"},
    {Errc::wrong_digest, "is not what was written"},
};

TEST(Error, OfOursHasTheTextOfTheErrorTable) {
  for (const auto& [code, text] : kTexts) EXPECT_EQ(make_error_code(code).message(), text);
}

TEST(Error, OfOursIsANumberThatComErrPrints) {
  for (const auto& [code, text] : kTexts)
    EXPECT_STREQ(error_message(com_err_code(make_error_code(code))), text);
}

TEST(Error, OfTheSystemIsItsErrnoForComErr) {
  EXPECT_EQ(com_err_code({ENOSPC, std::generic_category()}), ENOSPC);
  EXPECT_EQ(com_err_code({EIO, std::system_category()}), EIO);
}

TEST(Fail, ThrowsTheCodeWithTheMessageAsTheWholeText) {
  const Ending ending = ending_of([] { fail(Errc::truncated, "disk.img: read at 4096: it ends there"); });
  EXPECT_EQ(ending.code, Errc::truncated);
  EXPECT_EQ(ending.text, "disk.img: read at 4096: it ends there");
}

TEST(Fail, ThrowsWhatCanBeCopiedAndKeepsItsText) {
  std::exception_ptr stored;
  try {
    fail(Errc::corrupt, "a.qcow2: damaged");
  } catch (...) {
    stored = std::current_exception();
  }
  EXPECT_EQ(ending_of([&] { std::rethrow_exception(stored); }).text, "a.qcow2: damaged");
}

TEST(FailErrno, AppendsTheReasonOfTheSystem) {
  const Ending ending = ending_of([] { fail_errno(EIO, "disk.img: read at 4096"); });
  EXPECT_EQ(ending.code, std::errc::io_error);
  EXPECT_EQ(ending.text, "disk.img: read at 4096: Input/output error");
}

TEST(FailErrno, TakesErrnoIfNoNumberIsGiven) {
  const Ending ending = ending_of([] {
    errno = ENOSPC;
    fail_errno("out.qcow2: write at 0");
  });
  EXPECT_EQ(ending.code, std::errc::no_space_on_device);
  EXPECT_EQ(ending.text, "out.qcow2: write at 0: No space left on device");
}

}  // namespace
}  // namespace e2qcow
