// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "e2image_compat/qcow2_sink.h"

#include <gtest/gtest.h>

#include "qcow2/read/reader.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"
#include "tests/support/random.h"

namespace e2qcow::compat {
namespace {

using qcow2::TableWriter;

constexpr std::uint32_t kSinkBlock = 1024;

Bytes read_disk(const ReadableFile& image) {
  qcow2::Reader reader(image);
  reader.check_tables();
  Bytes disk(reader.size());
  reader.read(0, disk);
  return disk;
}

TEST(Qcow2Sink, WritesImagesOfRandomDisks) {
  Random random;
  for (int round = 0; round < 20; ++round) {
    MemorySource disk = MemorySource::random(random, 4 << 20, 20'000, 30'000);
    MemoryFile file;
    Qcow2Sink sink(file, plan_placement(kSinkBlock, 4096, 4096), TableWriter::Background::zeros);
    transfer(disk, sink, {.threads = 2});
    EXPECT_EQ(read_disk(file), disk.disk());
  }
}

TEST(Qcow2Sink, DestroysAnOldHeaderFirstAndWritesTheNewOneLast) {
  Random random;
  MemorySource disk = MemorySource::random(random, 1 << 20, 20'000, 30'000);
  MemoryFile whole;
  Qcow2Sink sink(whole, plan_placement(kSinkBlock, 1024, 1024), TableWriter::Background::old_data);
  transfer(disk, sink, {});
  for (std::uint64_t failing = 1; failing < whole.writes(); ++failing) {
    MemoryFile file(whole.data());
    file.fail_at_write(failing);
    const auto write = [&] {
      Qcow2Sink interrupted(file, plan_placement(kSinkBlock, 1024, 1024), TableWriter::Background::old_data);
      transfer(disk, interrupted, {});
    };
    EXPECT_EQ(code_of(write), std::errc::io_error) << failing;
    EXPECT_EQ(code_of([&] { qcow2::Reader reader(file); }), Errc::not_qcow2) << failing;
  }
}

TEST(Qcow2Sink, RefusesMoreThanItsRefcountTableHasRoomFor) {
  Random random;
  MemorySource disk(random.bytes(1 << 20), {{0, 1 << 20}});
  MemoryFile file;
  E2imageLayout plan = plan_placement(kSinkBlock, 1024, 1024);
  plan.refcount_table_clusters = 0;
  Qcow2Sink sink(file, plan, TableWriter::Background::zeros);
  EXPECT_EQ(code_of([&] { transfer(disk, sink, {}); }), Errc::changed);
}

}  // namespace
}  // namespace e2qcow::compat
