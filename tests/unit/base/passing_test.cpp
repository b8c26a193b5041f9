// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/passing.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <new>
#include <stdexcept>

namespace e2qcow {
namespace {

bool may_pass(Errc code) {
  return e2qcow::may_pass(std::system_error(make_error_code(code)));
}

bool may_pass(int error) {
  return e2qcow::may_pass(std::system_error(error, std::generic_category()));
}

TEST(MayPass, RoomMemoryAndConnectionsDo) {
  for (const int error :
       {ENOSPC, EDQUOT, ENOMEM, EMFILE, EBUSY, ENOTCONN, ECONNREFUSED, ECONNRESET, ETIMEDOUT, EPIPE, ESTALE})
    EXPECT_TRUE(may_pass(error)) << error;
  EXPECT_TRUE(e2qcow::may_pass(std::bad_alloc()));
  EXPECT_TRUE(e2qcow::may_pass(std::system_error(EAGAIN, std::system_category())));
  EXPECT_TRUE(e2qcow::may_pass(
      std::filesystem::filesystem_error("copy", std::make_error_code(std::errc::no_space_on_device))));
}

TEST(MayPass, WhatIsInUseDoes) {
  for (const Errc code : {Errc::in_use, Errc::mounted, Errc::changed}) EXPECT_TRUE(may_pass(code));
}

TEST(MayPass, WhatIsWrongWithTheCommandTheDeviceOrTheImageDoesNot) {
  for (const int error : {ENOENT, EACCES, EIO, EROFS, EFBIG, ENXIO, EINVAL})
    EXPECT_FALSE(may_pass(error)) << error;
  for (const Errc code : {Errc::not_ext2, Errc::corrupt, Errc::refused, Errc::too_small, Errc::unreadable})
    EXPECT_FALSE(may_pass(code));
  EXPECT_FALSE(e2qcow::may_pass(std::runtime_error("")));
}

// Numbers of another table mean something else.
TEST(MayPass, OnlyNumbersOfTheSystemCount) {
  EXPECT_FALSE(e2qcow::may_pass(std::system_error(ENOSPC, std::iostream_category())));
}

}  // namespace
}  // namespace e2qcow
