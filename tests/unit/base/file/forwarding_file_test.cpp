// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/forwarding_file.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/file/avoiding_file.h"
#include "base/file/file_window.h"
#include "base/file/salvaging_file.h"
#include "ext2/journal/replayed_file.h"
#include "tests/support/bytes.h"

namespace e2qcow {
namespace {

using Extents = std::vector<Extent>;

constexpr std::uint64_t kSize = 1 << 20;

// Remembers what it was asked, and answers what no file answers by itself.
class Below : public ReadableFile {
 public:
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return kSize; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    reads.push_back({offset, out.size()});
    std::ranges::fill(out, std::byte{0x5a});
  }
  std::optional<Extent> next_data(std::uint64_t offset) const override { return Extent{offset + 7, 3}; }
  bool is_lost(Extent range) const override { return range == lost; }
  bool can_still_read(std::uint64_t offset) const override { return offset == readable; }
  void prefetch(Extent range) const override { hints.push_back(range); }
  std::optional<Descriptor> descriptor() const override { return Descriptor{42, 1000}; }

  Extent lost;
  std::uint64_t readable = 0;
  mutable Extents reads;
  mutable Extents hints;

 private:
  std::string name_ = "below.img";
};

// Whatever stands for another file belongs into this list.
struct Decorator {
  const char* name;
  std::function<std::unique_ptr<ReadableFile>(const ReadableFile&)> over;
  std::uint64_t shift = 0;  // of its byte 0 in the file below
  bool has_the_same_bytes = true;
};

const Decorator kDecorators[] = {
    {"AvoidingFile",
     [](const ReadableFile& file) {
       return std::make_unique<AvoidingFile>(file, Extents{{kSize / 2, 512}});
     },
     0, false},
    {"FileWindow",
     [](const ReadableFile& file) {
       return std::make_unique<FileWindow>(file, Extent{3000, kSize - 3000});
     },
     3000},
    {"SalvagingFile",
     [](const ReadableFile& file) {
       return std::make_unique<SalvagingFile>(file, SalvagingFile::Options{.block_size = 1024});
     }},
    {"ReplayedFile",
     [](const ReadableFile& file) {
       return std::make_unique<ext2::ReplayedFile>(file, file, 1024,
                                                   ext2::JournaledBlocks{{500, {900, false}}});
     },
     0, false},
};

class Forwarding : public testing::TestWithParam<Decorator> {
 protected:
  Extent below(Extent range) const { return {GetParam().shift + range.offset, range.length}; }

  Below below_;
  std::unique_ptr<ReadableFile> file_ = GetParam().over(below_);
};
INSTANTIATE_TEST_SUITE_P(Decorators, Forwarding, testing::ValuesIn(kDecorators),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(Forwarding, HasTheNameAndWhatIsLeftOfTheSizeOfTheFileBelow) {
  EXPECT_EQ(file_->name(), "below.img");
  EXPECT_EQ(file_->size(), kSize - GetParam().shift);
}

TEST_P(Forwarding, ReadsFromTheFileBelow) {
  Bytes out(200);
  file_->read(100, out);
  EXPECT_EQ(below_.reads, Extents{below({100, 200})});
  EXPECT_EQ(out, filled(200, 0x5a));
}

TEST_P(Forwarding, ReadsUpToItsEndFromTheFileBelow) {
  Bytes out(200);
  const std::uint64_t near_end = file_->size() - 50;
  EXPECT_EQ(file_->read_up_to(near_end, out), 50);
  EXPECT_EQ(below_.reads, Extents{below({near_end, 50})});
}

TEST_P(Forwarding, FindsTheDataOfTheFileBelow) {
  EXPECT_EQ(file_->next_data(100), (Extent{107, 3}));
}

TEST_P(Forwarding, KnowsWhatTheFileBelowHasLost) {
  below_.lost = below({100, 200});
  EXPECT_TRUE(file_->is_lost({100, 200}));
  EXPECT_FALSE(file_->is_lost({101, 200}));
}

TEST_P(Forwarding, AsksTheFileBelowWhetherItIsStillThere) {
  below_.readable = below({100, 1}).offset;
  EXPECT_TRUE(file_->can_still_read(100));
  EXPECT_FALSE(file_->can_still_read(101));
}

TEST_P(Forwarding, PassesHintsOn) {
  file_->prefetch({100, 200});
  EXPECT_EQ(below_.hints, Extents{below({100, 200})});
}

TEST_P(Forwarding, NamesTheDescriptorOfTheFileBelowIfTheBytesAreTheSame) {
  const auto descriptor = file_->descriptor();
  ASSERT_EQ(descriptor.has_value(), GetParam().has_the_same_bytes);
  if (!descriptor) return;
  EXPECT_EQ(descriptor->fd, 42);
  EXPECT_EQ(descriptor->offset, 1000 + GetParam().shift);
}

}  // namespace
}  // namespace e2qcow
