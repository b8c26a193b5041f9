// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include <e2qcow/io_manager.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <thread>

#include "base/file/posix_file.h"
#include "qcow2/check/checker.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/temp_dir.h"

namespace e2qcow::plugin {
namespace {

constexpr int kBlock = 1024;
constexpr unsigned long long kBlocks = HandMadeImage::kDiskSize / kBlock;

struct CloseChannel {
  void operator()(io_channel channel) const { io_channel_close(channel); }
};
using ChannelPtr = std::unique_ptr<struct_io_channel, CloseChannel>;

// Guest clusters 0 to 7 hold their number plus one; what follows is zeros.
class IoManager : public testing::Test {
 protected:
  IoManager() {
    HandMadeImage image;
    for (int cluster = 0; cluster < 8; ++cluster) image.add_data(cluster, cluster + 1);
    write_image(image);
  }
  ~IoManager() override {
    e2qcow_set_overlay(nullptr);
    e2qcow_add_backing(nullptr);
    e2qcow_set_cache_size(0);
  }

  void write_image(const HandMadeImage& image) const {
    write_text(path("fs.qcow2"), {reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size()});
  }
  std::string path(const std::string& name) const { return directory_.file(name); }
  ChannelPtr open(int flags = 0) const {
    io_channel channel = nullptr;
    EXPECT_EQ(e2qcow_io_manager->open(path("fs.qcow2").c_str(), flags, &channel), 0) << e2qcow_last_message();
    return ChannelPtr(channel);
  }
  errcode_t error_of_open(const std::string& name, int flags = 0) const {
    io_channel channel = nullptr;
    const errcode_t error = e2qcow_io_manager->open(path(name).c_str(), flags, &channel);
    EXPECT_EQ(channel, nullptr);
    return error;
  }

  TempDir directory_;
};

Bytes read_blocks(const ChannelPtr& channel, unsigned long long block, int count = 1) {
  Bytes data(static_cast<std::size_t>(count) * kBlock);
  EXPECT_EQ(io_channel_read_blk64(channel.get(), block, count, data.data()), 0);
  return data;
}

Bytes two_clusters(int a, int b) {
  Bytes data = filled(kCluster, a);
  data.resize(2 * kCluster, static_cast<std::byte>(b));
  return data;
}

TEST_F(IoManager, ReadsBlocksAndBytes) {
  const auto channel = open();
  EXPECT_EQ(read_blocks(channel, 0), two_clusters(1, 2));
  EXPECT_EQ(read_blocks(channel, 3, 2), [] {
    Bytes data = two_clusters(7, 8);
    data.resize(2 * kBlock);
    return data;
  }());
  Bytes part(700);
  EXPECT_EQ(io_channel_read_blk64(channel.get(), 1, -700, part.data()), 0);
  EXPECT_EQ(part, part_of(two_clusters(3, 4), 0, 700));
  EXPECT_EQ(io_channel_set_blksize(channel.get(), 512), 0);
  EXPECT_EQ(io_channel_read_blk(channel.get(), 4, 1, part.data()), 0);
  EXPECT_EQ(part_of(part, 0, 512), filled(512, 5));
}

TEST_F(IoManager, CountsWhatItReads) {
  const auto channel = open();
  read_blocks(channel, 0, 3);
  io_stats stats = nullptr;
  ASSERT_EQ(e2qcow_io_manager->get_stats(channel.get(), &stats), 0);
  EXPECT_EQ(stats->bytes_read, 3U * kBlock);
}

// libext2fs would change a superblock for the first block that is written after the last flush.
TEST_F(IoManager, CountsWhatItWritesWhenThatIsFlushedOrMuch) {
  const auto channel = open(IO_FLAG_RW);
  io_stats stats = nullptr;
  ASSERT_EQ(e2qcow_io_manager->get_stats(channel.get(), &stats), 0);
  const auto write = [&](int count) {
    EXPECT_EQ(io_channel_write_blk64(channel.get(), 0, count, Bytes(count * kBlock).data()), 0);
  };
  write(1);
  EXPECT_EQ(stats->bytes_written, 0U);
  EXPECT_EQ(io_channel_flush(channel.get()), 0);
  EXPECT_EQ(stats->bytes_written, 1U * kBlock);
  write(9);
  EXPECT_EQ(stats->bytes_written, 10U * kBlock);
  write(1);
  EXPECT_EQ(stats->bytes_written, 10U * kBlock);
  read_blocks(channel, 0, 5);
  EXPECT_EQ(stats->bytes_written, 11U * kBlock);
}

TEST_F(IoManager, ReadingPastTheEndIsAnErrorWithZeros) {
  const auto channel = open();
  for (const unsigned long long block : {kBlocks - 1, kBlocks, 1ULL << 60, ~0ULL}) {
    Bytes data = filled(2 * kBlock, 0xee);
    EXPECT_EQ(io_channel_read_blk64(channel.get(), block, 2, data.data()), EXT2_ET_SHORT_READ) << block;
    EXPECT_EQ(data, filled(2 * kBlock, 0));
  }
}

TEST_F(IoManager, AsksTheCallersHandlerWhatToDoAboutAnError) {
  const auto channel = open();
  channel->read_error = [](io_channel, unsigned long, int, void*, size_t, int, errcode_t error) -> errcode_t {
    return error == EXT2_ET_SHORT_READ ? 4711 : error;
  };
  Bytes data(kBlock);
  EXPECT_EQ(io_channel_read_blk64(channel.get(), kBlocks, 1, data.data()), 4711);
}

TEST_F(IoManager, TakesTheOffsetOfAFileSystem) {
  const auto channel = open();
  EXPECT_EQ(io_channel_set_options(channel.get(), "offset=1024"), 0);
  EXPECT_EQ(read_blocks(channel, 0), two_clusters(3, 4));
  EXPECT_EQ(io_channel_set_options(channel.get(), "offset=0x400"), 0);
  EXPECT_EQ(read_blocks(channel, 1), two_clusters(5, 6));
  for (const char* bad : {"offset=", "offset=1k", "offset=-1", "offset=99999999999999999999", "else=1"})
    EXPECT_EQ(io_channel_set_options(channel.get(), bad), EXT2_ET_INVALID_ARGUMENT) << bad;
}

TEST_F(IoManager, WritesNothingThatWasOpenedForReading) {
  const auto channel = open();
  const Bytes data(kBlock);
  EXPECT_EQ(io_channel_write_blk64(channel.get(), 0, 1, data.data()), EBADF);
  EXPECT_EQ(io_channel_write_byte(channel.get(), 0, 1, data.data()), EBADF);
  EXPECT_EQ(io_channel_zeroout(channel.get(), 0, 1), EBADF);
  EXPECT_EQ(io_channel_discard(channel.get(), 0, 1), EBADF);
}

TEST_F(IoManager, ChangesAreThereUntilTheEndAndTheImageStaysAsItWas) {
  const std::string before = read_text(path("fs.qcow2"));
  {
    const auto channel = open(IO_FLAG_RW);
    EXPECT_EQ(io_channel_write_blk64(channel.get(), 1, 1, filled(kBlock, 9).data()), 0);
    EXPECT_EQ(io_channel_write_byte(channel.get(), 2 * kBlock + 3, 2, filled(2, 8).data()), 0);
    EXPECT_EQ(io_channel_zeroout(channel.get(), 0, 1), 0);
    EXPECT_EQ(io_channel_write_blk64(channel.get(), kBlocks, 1, filled(kBlock, 9).data()),
              EXT2_ET_SHORT_WRITE);
  }
  const auto channel = open();  // closed and opened again
  EXPECT_EQ(read_blocks(channel, 0), filled(kBlock, 0));
  EXPECT_EQ(read_blocks(channel, 1), filled(kBlock, 9));
  EXPECT_EQ(read_blocks(channel, 2)[4], std::byte{8});
  EXPECT_EQ(read_text(path("fs.qcow2")), before);
}

TEST_F(IoManager, OpenedTwiceIsOneDisk) {
  const auto writer = open(IO_FLAG_RW);
  const auto reader = open();
  EXPECT_EQ(io_channel_write_blk64(writer.get(), 0, 1, filled(kBlock, 9).data()), 0);
  EXPECT_EQ(read_blocks(reader, 0), filled(kBlock, 9));
}

TEST_F(IoManager, KeepsChangesInAnOverlayThatIsContinued) {
  e2qcow_set_overlay(path("overlay").c_str());
  for (int round = 1; round < 4; ++round) {
    const auto channel = open(IO_FLAG_RW);
    if (round > 1) {
      EXPECT_EQ(read_blocks(channel, round - 1), filled(kBlock, round - 1));
    }
    EXPECT_EQ(io_channel_write_blk64(channel.get(), round, 1, filled(kBlock, round).data()), 0);
    EXPECT_EQ(io_channel_flush(channel.get()), 0);
    const auto file = open_for_reading(path("overlay"));
    EXPECT_EQ(qcow2::check(*file).corruptions + qcow2::check(*file).leaks, 0);
  }
  EXPECT_EQ(read_blocks(open(), 1), filled(kBlock, 1));  // for every reader of the image
}

TEST_F(IoManager, RefusesAnOverlayOfAnotherImage) {
  e2qcow_set_overlay(path("overlay").c_str());
  open(IO_FLAG_RW);
  std::filesystem::rename(path("fs.qcow2"), path("other.qcow2"));
  EXPECT_NE(error_of_open("other.qcow2", IO_FLAG_RW), 0);
  EXPECT_NE(std::string_view(e2qcow_last_message()).find("is not an overlay of"), std::string::npos);
}

TEST_F(IoManager, NeedsBackingFilesToBeNamed) {
  HandMadeImage top;
  set_field(top.bytes, field::kBackingOffset, 300);
  set_field(top.bytes, field::kBackingSize, 4);
  std::ranges::copy(text_bytes("base"), top.bytes.begin() + 300);
  std::filesystem::rename(path("fs.qcow2"), path("base"));
  write_image(top);
  EXPECT_NE(error_of_open("fs.qcow2"), 0);
  EXPECT_EQ(std::string_view(e2qcow_last_message()), path("fs.qcow2") + ": needs a backing file ('base')");
  e2qcow_add_backing((path("base") + ":qcow2").c_str());
  EXPECT_EQ(read_blocks(open(), 0), two_clusters(1, 2));
}

TEST_F(IoManager, ErrorsAreComErrCodesWithText) {
  EXPECT_EQ(error_of_open("missing"), ENOENT);
  write_text(path("raw"), std::string(5000, 'x'));
  const errcode_t error = error_of_open("raw");
  EXPECT_STREQ(error_message(error), "not a qcow2 image");
  EXPECT_NE(std::string_view(e2qcow_last_message()).find("raw: not a qcow2 image"), std::string::npos);
}

TEST_F(IoManager, DamageIsAnErrorOnlyForItsBlocks) {
  HandMadeImage image;
  image.add_data(0, 1);
  image.set_l2_entry(2, HandMadeImage::kCopied | (1 << 20));  // past the end
  write_image(image);
  const auto channel = open();
  EXPECT_EQ(io_channel_set_blksize(channel.get(), 512), 0);
  Bytes data = filled(512, 0xee);
  EXPECT_STREQ(error_message(io_channel_read_blk64(channel.get(), 2, 1, data.data())), "ends too early");
  EXPECT_EQ(data, filled(512, 0));
  EXPECT_NE(std::string_view(e2qcow_last_message()).find("guest offset 1024"), std::string::npos);
}

TEST_F(IoManager, AForkedProgramReads) {
  e2qcow_set_cache_size(1 << 20);
  const auto channel = open(IO_FLAG_RW);
  io_channel_cache_readahead(channel.get(), 0, kBlocks);
  const pid_t child = ::fork();
  if (child == 0) {
    Bytes data(kBlock);
    bool good = io_channel_read_blk64(channel.get(), 0, 1, data.data()) == 0 && data == two_clusters(1, 2);
    io_channel_cache_readahead(channel.get(), 0, kBlocks);
    // The changes are its parent's.
    good = good && io_channel_write_blk64(channel.get(), 0, 1, data.data()) != 0;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(io_channel_write_blk64(channel.get(), 0, 1, filled(kBlock, 9).data()), 0);
}

TEST_F(IoManager, ReadsInSeveralThreads) {
  const auto channel = open(IO_FLAG_THREADS);
  EXPECT_NE(channel->flags & CHANNEL_FLAGS_THREADS, 0);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) EXPECT_EQ(read_blocks(channel, 1), two_clusters(3, 4));
    });
}

}  // namespace
}  // namespace e2qcow::plugin
