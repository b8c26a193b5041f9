// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/posix_file.h"

#include <e2qcow/error.h>
#include <e2qcow/image.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/sizes.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

class PosixFileTest : public testing::Test {
 protected:
  std::unique_ptr<PosixFile> file_with(const Bytes& bytes, const PosixFile::Options& options = {}) const {
    UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    auto created = std::make_unique<PosixFile>(std::move(fd), path_, options);
    created->write(0, bytes);
    return created;
  }
  Bytes content() const { return text_bytes(read_text(path_)); }

  TempDir directory_;
  std::string path_ = directory_.file("disk.img");
};

TEST_F(PosixFileTest, ReadsAndWritesAtOffsets) {
  const auto file = file_with(bytes_of({1, 2, 3, 4}));
  file->write(2, bytes_of({33, 44, 55}));
  EXPECT_EQ(content(), bytes_of({1, 2, 33, 44, 55}));
  Bytes out(3);
  file->read(1, out);
  EXPECT_EQ(out, bytes_of({2, 33, 44}));
  EXPECT_EQ(file->size(), 5);
}

// How many pages of a file the kernel has in memory.
std::size_t pages_in_memory(int fd, std::size_t length) {
  constexpr std::size_t kPage = 4096;
  void* const memory = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0);
  std::vector<unsigned char> pages(length / kPage);
  const bool known = memory != MAP_FAILED && ::mincore(memory, length, pages.data()) == 0;
  ::munmap(memory, length);
  return known ? std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; }) : 0;
}

TEST_F(PosixFileTest, WritesLargeAlignedPiecesPastThePageCacheAndTheRestThroughIt) {
  PageBytes aligned(kMiB, std::byte{1});
  const Bytes small = filled(100, 2);
  const auto file = file_with({}, {.writes_directly = true});
  file->expect_writes(~0ULL);
  file->write(0, aligned);                                   // directly
  file->write(kMiB, small);                                  // too small
  const std::span<const std::byte> parts[]{aligned, small};  // of an odd size
  file->write(2 * kMiB, parts);
  file->write(4 * kMiB + 1, std::span<const std::byte>(aligned));         // at an odd place
  file->write(6 * kMiB, std::span<const std::byte>(aligned).subspan(1));  // from an odd place
  file->sync();

  Bytes expected(7 * kMiB - 1);
  const auto put = [&](std::size_t offset, std::size_t length, int value) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte(value));
  };
  put(0, kMiB, 1);
  put(kMiB, 100, 2);
  put(2 * kMiB, kMiB, 1);
  put(3 * kMiB, 100, 2);
  put(4 * kMiB + 1, kMiB, 1);
  put(6 * kMiB, kMiB - 1, 1);
  // A tmpfs has only the page cache.
  const int direct = ::open(path_.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (direct >= 0) {
    EXPECT_EQ(pages_in_memory(file->fd(), kMiB), 0);
    ::close(direct);
  }
  EXPECT_EQ(content(), expected);
}

TEST_F(PosixFileTest, TakesReadingAcrossTheEndForTruncationAndNamesTheEnd) {
  const auto file = file_with(filled(1000, 1));
  Bytes out(600);
  const Ending ending = ending_of([&] { file->read(500, out); });
  EXPECT_EQ(ending.code, Errc::truncated);
  EXPECT_EQ(ending.text, path_ + ": read at 1000: the file ends there");
}

TEST_F(PosixFileTest, TakesReadingPastTheEndForTruncation) {
  const auto file = file_with(filled(1000, 1));
  Bytes out(1);
  EXPECT_EQ(code_of([&] { file->read(1000, out); }), Errc::truncated);
  EXPECT_EQ(code_of([&] { file->read(1 << 30, out); }), Errc::truncated);
}

TEST_F(PosixFileTest, ReadsNothingAtTheEndWithoutAnError) {
  const auto file = file_with(filled(1000, 1));
  EXPECT_NO_THROW(file->read(1000, {}));
}

TEST_F(PosixFileTest, WritesMorePartsThanOneCallToTheKernelTakes) {
  const auto file = file_with({});
  std::vector<Bytes> pieces;
  Bytes expected = filled(3, 0);
  for (int i = 0; i < 2000; ++i) {
    pieces.push_back(filled(static_cast<std::size_t>(i % 5), i));
    expected.insert(expected.end(), pieces.back().begin(), pieces.back().end());
  }
  file->write(3, std::vector<std::span<const std::byte>>(pieces.begin(), pieces.end()));
  EXPECT_EQ(content(), expected);
}

// While it lives, files of this process end at a limit, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t limit) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit lower{limit, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    (void)std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_{};
  void (*handler_)(int);
};

TEST_F(PosixFileTest, SaysWhereAndWhyAWriteEndedEarly) {
  const auto file = file_with({});
  Ending ending;
  {
    const FileSizeLimit limit(65536);
    ending = ending_of([&] { file->write(60000, filled(10000, 1)); });
  }
  EXPECT_EQ(ending.text, path_ + ": write at 65536: File too large");
  EXPECT_EQ(part_of(content(), 60000, 5536), filled(5536, 1));
}

TEST_F(PosixFileTest, SaysWhereAndWhyWritingPartsEndedEarly) {
  const auto file = file_with({});
  const Bytes part = filled(10000, 1);
  const std::vector<std::span<const std::byte>> parts(10, part);
  Ending ending;
  {
    const FileSizeLimit limit(65536);
    ending = ending_of([&] { file->write(0, parts); });
  }
  EXPECT_EQ(ending.code, std::errc::file_too_large);
  EXPECT_EQ(ending.text, path_ + ": write at 65536: File too large");
  EXPECT_EQ(content(), filled(65536, 1));
}

TEST_F(PosixFileTest, NamesFileAndPlaceIfItMayNotWrite) {
  file_with(filled(10, 1));
  const auto file = open_for_reading(path_);
  const Ending ending = ending_of([&] { file->write(5, filled(1, 2)); });
  EXPECT_EQ(ending.code, std::errc::bad_file_descriptor);
  EXPECT_EQ(ending.text, path_ + ": write at 5: Bad file descriptor");
}

TEST_F(PosixFileTest, ZeroesExactlyTheRangeInBothWays) {
  for (const auto how : {File::Zeroing::keep_allocated, File::Zeroing::discard}) {
    const auto file = file_with(filled(300'000, 0xee));
    file->zero({5000, 200'000}, how);
    EXPECT_EQ(file->size(), 300'000);
    const Bytes bytes = content();
    EXPECT_EQ(part_of(bytes, 0, 5000), filled(5000, 0xee));
    EXPECT_EQ(part_of(bytes, 5000, 200'000), filled(200'000, 0));
    EXPECT_EQ(part_of(bytes, 205'000, 95'000), filled(95'000, 0xee));
  }
}

TEST_F(PosixFileTest, ZeroesMoreThanOneStep) {
  const auto file = file_with({});
  for (const std::uint64_t end : {1 * kMiB, 64 * kMiB, 65 * kMiB, 129 * kMiB, 200 * kMiB})
    file->write(end - 4096, filled(8192, 0xee));
  file->zero({kMiB, 199 * kMiB}, File::Zeroing::discard);
  Bytes out(8192);
  for (const std::uint64_t end : {64 * kMiB, 65 * kMiB, 129 * kMiB}) {
    file->read(end - 4096, out);
    EXPECT_EQ(out, Bytes(8192)) << end;
  }
  file->read(kMiB - 4096, out);
  EXPECT_EQ(part_of(out, 0, 4096), filled(4096, 0xee));
  EXPECT_EQ(part_of(out, 4096, 4096), Bytes(4096));
  file->read(200 * kMiB - 4096, out);
  EXPECT_EQ(part_of(out, 0, 4096), Bytes(4096));
  EXPECT_EQ(part_of(out, 4096, 4096), filled(4096, 0xee));
}

TEST_F(PosixFileTest, FindsTheDataBetweenHoles) {
  constexpr std::uint64_t kData = 1 << 20;
  constexpr std::uint64_t kLength = 64 * 1024;
  const auto file = file_with({});
  file->resize(3 << 20);
  file->write(kData, filled(kLength, 1));
  if (file->next_data(kData + kLength))
    GTEST_SKIP() << "the file system of " << directory_.path() << " has no holes in files";
  EXPECT_EQ(file->next_data(0), (Extent{kData, kLength}));
  EXPECT_EQ(file->next_data(kData + 5), (Extent{kData + 5, kLength - 5}));
  EXPECT_EQ(file->next_data(3 << 20), std::nullopt);
  EXPECT_EQ(file->next_data(4 << 20), std::nullopt);
}

TEST_F(PosixFileTest, FindsDataUpToTheEndOfAFile) {
  const auto file = file_with(filled(1000, 1));
  EXPECT_EQ(file->next_data(0), (Extent{0, 1000}));
  EXPECT_EQ(file->next_data(999), (Extent{999, 1}));
  EXPECT_EQ(file->next_data(1000), std::nullopt);
}

TEST_F(PosixFileTest, SetsItsSize) {
  const auto file = file_with(filled(10, 1));
  file->resize(4);
  file->resize(6);
  EXPECT_EQ(content(), bytes_of({1, 1, 1, 1, 0, 0}));
}

TEST_F(PosixFileTest, HasADescriptorForTheKernel) {
  const auto file = file_with({});
  ASSERT_TRUE(file->descriptor());
  EXPECT_EQ(file->descriptor()->fd, file->fd());
  EXPECT_EQ(file->descriptor()->offset, 0);
}

TEST(OpenForReading, NamesAFileThatIsMissing) {
  const Ending ending = ending_of([] { open_for_reading("/nowhere/disk.img"); });
  EXPECT_EQ(ending.code, std::errc::no_such_file_or_directory);
  EXPECT_EQ(ending.text, "/nowhere/disk.img: open: No such file or directory");
}

TEST(OpenForReading, RefusesEverythingButFilesAndNeverWaitsForAWriter) {
  const TempDir directory;
  const std::string fifo = directory.file("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, directory.path(), std::string("/dev/null")})
    EXPECT_EQ(code_of([&] { open_for_reading(path); }), Errc::refused) << path;
}

TEST(OpenForUpdate, LocksTheFile) {
  const TempDir directory;
  const std::string path = directory.file("file");
  EXPECT_EQ(code_of([&] { open_for_update(path); }), std::errc::no_such_file_or_directory);
  write_text(path, "old");
  {
    const auto file = open_for_update(path);
    EXPECT_EQ(code_of([&] { open_for_update(path); }), Errc::in_use);
    file->write(0, text_bytes("new"));
  }
  EXPECT_EQ(read_text(path), "new");
  EXPECT_EQ(open_for_update(path)->size(), 3U);
}

}  // namespace
}  // namespace e2qcow
