// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/two_passes.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "tests/support/bytes.h"
#include "tests/support/errors.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kBegin = 1000;
constexpr std::uint64_t kReach = 64;
constexpr std::size_t kData = 5000;

class TwoPasses : public testing::Test {
 protected:
  // A table of one byte in front, then data.
  void write(int table, const Bytes& data) {
    passes_ = 0;
    write_in_two_passes("disk.img", kBegin, kReach, out_, [&](File& file) {
      ++passes_;
      for (std::size_t i = 0; i < data.size(); i += 50)
        file.write(kBegin + i, std::span(data).subspan(i, std::min<std::size_t>(50, data.size() - i)));
      file.resize(kBegin + data.size());
      file.write(7, filled(1, table));
      if (between_) between_(passes_, file);
    });
  }
  Bytes written() {
    Bytes bytes(out_.written());
    EXPECT_EQ(::pread(fd_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

  int passes_ = 0;
  std::function<void(int, File&)> between_;
  UniqueFd fd_{::memfd_create("out", MFD_CLOEXEC)};
  OutputStream out_{fd_.get(), "out"};
};

TEST_F(TwoPasses, MakeTheFrontFirst) {
  write(5, filled(kData, 9));
  Bytes expected(kBegin);
  expected[7] = std::byte{5};
  const Bytes data = filled(kData, 9);
  expected.insert(expected.end(), data.begin(), data.end());
  EXPECT_EQ(written(), expected);
  EXPECT_EQ(passes_, 2);
}

TEST_F(TwoPasses, MayHaveNoData) {
  write(5, {});
  EXPECT_EQ(written().size(), kBegin);
}

// Whatever differs, and wherever: the end is missing.
TEST_F(TwoPasses, LeaveOutTheEndIfTheyDiffer) {
  for (const std::uint64_t offset : {std::uint64_t{8}, kBegin - 1, kBegin + kData - 1, kBegin + kData}) {
    between_ = [&](int pass, File& file) {
      if (pass == 2) file.write(offset, filled(1, 1));
    };
    const std::uint64_t before = out_.written();
    const Ending ending = ending_of([&] { write(5, filled(kData, 9)); });
    EXPECT_EQ(ending.code, Errc::changed) << offset;
    EXPECT_EQ(ending.text,
              "disk.img: changed between the two times that it was read; the image on out is incomplete");
    EXPECT_LE(out_.written() - before, kBegin + kData - kReach) << offset;
  }
}

TEST_F(TwoPasses, LeaveOutTheEndIfTheSecondIsShorter) {
  between_ = [](int pass, File& file) {
    if (pass == 1) file.resize(kBegin + kData + 1);
  };
  EXPECT_EQ(code_of([&] { write(5, filled(kData, 9)); }), Errc::changed);
}

}  // namespace
}  // namespace e2qcow::work
