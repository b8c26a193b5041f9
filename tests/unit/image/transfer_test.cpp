// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include <e2qcow/error.h>
#include <e2qcow/image.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <stdexcept>

#include "base/stop.h"
#include "tests/support/errors.h"
#include "tests/support/memory_sink.h"
#include "tests/support/memory_source.h"
#include "tests/support/sizes.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kTransferCluster = 4096;

TransferOptions with_threads(unsigned threads) {
  return {.threads = threads};
}

class Transfer : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Threads, Transfer, testing::Values(1, 2, 3, 8));

TEST_P(Transfer, CopiesADiskAndFinishesIt) {
  Random random;
  MemorySource source = MemorySource::random(random, 6 * kMiB + 999, 100'000, 500'000);
  MemorySink sink(kTransferCluster);
  transfer(source, sink, with_threads(GetParam()));
  EXPECT_TRUE(sink.disk(source.size()) == source.disk());
  EXPECT_TRUE(sink.finished());
}

TEST_P(Transfer, HandsOverTheSamePiecesAsOneThread) {
  Random random;
  MemorySource source = MemorySource::random(random, 6 * kMiB, 20'000, 100'000);
  MemorySink expected(kTransferCluster);
  transfer(source, expected, with_threads(1));
  MemorySink sink(kTransferCluster);
  transfer(source, sink, with_threads(GetParam()));
  EXPECT_TRUE(sink.stored() == expected.stored());
}

TEST_P(Transfer, AppendsInAscendingOrder) {
  Random random;
  MemorySource source = MemorySource::random(random, 6 * kMiB, 20'000, 100'000);
  MemorySink sink(kTransferCluster);
  transfer(source, sink, with_threads(GetParam()));
  std::uint64_t end = 0;
  for (const MemorySink::Stored& piece : sink.stored()) {
    EXPECT_GE(piece.guest_offset, end);
    end = piece.guest_offset + piece.bytes.size();
  }
}

TEST_P(Transfer, FinishesASinkThatGotNothing) {
  MemorySource source(Bytes(kMiB), {});
  MemorySink sink(kTransferCluster);
  transfer(source, sink, with_threads(GetParam()));
  EXPECT_EQ(sink.stored(), std::vector<MemorySink::Stored>{});
  EXPECT_TRUE(sink.finished());
}

class ContentSink : public MemorySink {
 public:
  using MemorySink::MemorySink;
  bool wants_more() const override { return stored().size() < 3; }
};

TEST_P(Transfer, EndsWhenTheSinkNeedsNoMore) {
  const MemorySource source(filled(12 * kMiB, 1), {{0, 12 * kMiB}});
  ContentSink sink(kTransferCluster);
  transfer(source, sink, with_threads(GetParam()));
  EXPECT_EQ(sink.stored().size(), 3);
  EXPECT_TRUE(sink.finished());
}

class CountingProgress : public Progress {
 public:
  void begin(std::string_view, std::uint64_t) override {}
  void advance(std::uint64_t bytes) override { bytes_ += bytes; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::atomic<std::uint64_t> bytes_ = 0;
};

TEST_P(Transfer, ReportsEveryByteOfTheExtents) {
  MemorySource source(filled(5 * kMiB, 1), {{100, 2 * kMiB}, {3 * kMiB, 1000}});
  MemorySink sink(kTransferCluster);
  CountingProgress progress;
  transfer(source, sink, {.threads = GetParam(), .progress = &progress});
  EXPECT_EQ(progress.bytes(), 2 * kMiB + 1000);
}

// Where the work goes wrong, once the place has been passed a number of times.
enum class Place { next_extent, read, pack, append, finish };

class Fault {
 public:
  Fault(Place place, int passes) : place_(place), passes_(passes) {}
  void pass(Place place) {
    if (place == place_ && passes_-- == 0) throw std::runtime_error("the fault");
  }

 private:
  Place place_;
  std::atomic<int> passes_;
};

// Twelve batches of data.
class FaultySource : public ImageSource {
 public:
  explicit FaultySource(Fault& fault) : fault_(fault) {}
  std::uint64_t size() const override { return 12 * kMiB; }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    fault_.pass(Place::next_extent);
    if (guest_offset >= size()) return std::nullopt;
    return Extent{guest_offset, size() - guest_offset};
  }
  void read(std::uint64_t, std::span<std::byte> out) const override {
    fault_.pass(Place::read);
    std::memset(out.data(), 1, out.size());
  }

 private:
  Fault& fault_;
};

class FaultySink : public ImageSink {
 public:
  explicit FaultySink(Fault& fault) : fault_(fault) {}
  bool finished() const { return finished_; }
  std::uint64_t granularity() const override { return kTransferCluster; }
  void pack(Batch&) const override { fault_.pass(Place::pack); }
  void append(const Batch&) override { fault_.pass(Place::append); }
  void finish() override {
    fault_.pass(Place::finish);
    finished_ = true;
  }

 private:
  Fault& fault_;
  bool finished_ = false;
};

class TransferFault : public testing::TestWithParam<unsigned> {
 protected:
  static void expect_fault(Place place, int passes) {
    Fault fault(place, passes);
    FaultySource source(fault);
    FaultySink sink(fault);
    try {
      transfer(source, sink, with_threads(GetParam()));
      ADD_FAILURE() << "nothing was thrown after " << passes << " passes";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "the fault");
    }
    EXPECT_FALSE(sink.finished());
  }
};
INSTANTIATE_TEST_SUITE_P(Threads, TransferFault, testing::Values(1, 2, 3, 8));

TEST_P(TransferFault, InNextExtentIsThrownAndNothingIsFinished) {
  for (int passes = 0; passes < 12; ++passes) expect_fault(Place::next_extent, passes);
}
TEST_P(TransferFault, InReadIsThrownAndNothingIsFinished) {
  for (int passes = 0; passes < 12; ++passes) expect_fault(Place::read, passes);
}
TEST_P(TransferFault, InPackIsThrownAndNothingIsFinished) {
  for (int passes = 0; passes < 12; ++passes) expect_fault(Place::pack, passes);
}
TEST_P(TransferFault, InAppendIsThrownAndNothingIsFinished) {
  for (int passes = 0; passes < 12; ++passes) expect_fault(Place::append, passes);
}
TEST_P(TransferFault, InFinishIsThrown) {
  expect_fault(Place::finish, 0);
}

// Asks for the end while the work is under way. It cannot be taken back: it happens in a process of its own.
class StoppingSource : public MemorySource {
 public:
  StoppingSource() : MemorySource(filled(12 * kMiB, 1), {{0, 12 * kMiB}}) {}
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override {
    if (guest_offset >= 3 * kMiB) request_stop();
    MemorySource::read(guest_offset, out);
  }
};

void stop_and_exit(unsigned threads) {
  StoppingSource source;
  MemorySink sink(kTransferCluster);
  const auto code = code_of([&] { transfer(source, sink, with_threads(threads)); });
  std::_Exit(code == Errc::interrupted && !sink.finished() ? 0 : 1);
}

TEST(TransferDeathTest, EndsUnfinishedWhenAStopIsRequested) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const unsigned threads : {1U, 4U})
    EXPECT_EXIT(stop_and_exit(threads), testing::ExitedWithCode(0), "") << threads;
}

void stop_at_the_end_and_exit() {
  MemorySource source(Bytes(kMiB), {});
  MemorySink sink(kTransferCluster);
  request_stop();
  const auto code = code_of([&] { transfer(source, sink, with_threads(1)); });
  std::_Exit(code == Errc::interrupted && !sink.finished() ? 0 : 1);
}

TEST(TransferDeathTest, DoesNotFinishWhenAStopWasRequestedAtTheEnd) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(stop_at_the_end_and_exit(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace e2qcow
