// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/anonymized_file.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/ext2_image.h"
#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kLinks = 100;  // two blocks of links
constexpr std::uint64_t kOther = 102;  // what no walk has found

class FileOfDump : public testing::Test {
 protected:
  FileOfDump() {
    roles_.visit(BlockClass::symlinks, {kLinks, 2}, 0);
    image_.put_block(kLinks, text_bytes("a/secret"));
    image_.put_block(kLinks + 1, text_bytes("another"));
    image_.put_block(kOther, filled(1024, 's'));
  }
  Bytes read(std::uint64_t offset, std::size_t size) {
    const Filesystem filesystem = image_.open();
    const Anonymizer anonymizer(filesystem, roles_, test_secret(), Strictness::plain, 1);
    const AnonymizedFile file(image_.disk, anonymizer, 1024);
    Bytes bytes(size);
    file.read(offset, bytes);
    tallies_ = file.tallies();
    return bytes;
  }
  std::uint64_t replaced_links() const {
    return tallies_[static_cast<std::size_t>(BlockClass::symlinks)].replaced;
  }

  Ext2Image image_{1024, 2000};
  BlockRoles roles_;
  std::array<Tally, kBlockClasses> tallies_{};
};

Bytes expected_links() {
  Bytes links = text_bytes("x/xxxxxx");
  links.resize(1024);
  const Bytes second = text_bytes("xxxxxxx");
  links.insert(links.end(), second.begin(), second.end());
  links.resize(2048);
  return links;
}

TEST_F(FileOfDump, HasReplacedBlocks) {
  EXPECT_EQ(read(kLinks * 1024, 2048), expected_links());
  EXPECT_EQ(replaced_links(), 2);
}

TEST_F(FileOfDump, IsTheSameHoweverItIsRead) {
  for (const std::uint64_t offset : {0, 1, 3, 1000, 1023, 1024, 1500})
    for (const std::size_t size : {1, 5, 24, 500})
      EXPECT_EQ(read(kLinks * 1024 + offset, size), part_of(expected_links(), offset, size))
          << offset << ' ' << size;
  Bytes around(3 * 1024);
  std::ranges::copy(expected_links(), around.begin() + 512);
  EXPECT_EQ(read(kLinks * 1024 - 512, around.size()), around);
}

TEST_F(FileOfDump, HasNothingInBlocksWithoutARole) {
  EXPECT_TRUE(is_zero(read(kOther * 1024, 1024)));
  EXPECT_TRUE(is_zero(read(kOther * 1024 + 100, 10)));
}

TEST_F(FileOfDump, HasNothingInAPartOfABlockAtTheEnd) {
  SparseFile longer(2000 * 1024 + 700);
  longer.put(2000 * 1024, filled(700, 's'));
  const Filesystem filesystem = image_.open();
  const Anonymizer anonymizer(filesystem, roles_, test_secret(), Strictness::plain, 1);
  const AnonymizedFile file(longer, anonymizer, 1024);
  Bytes bytes(700);
  file.read(2000 * 1024, bytes);
  EXPECT_TRUE(is_zero(bytes));
  Bytes part(10);
  file.read(2000 * 1024 + 690, part);
  EXPECT_TRUE(is_zero(part));
}

TEST_F(FileOfDump, EndsWhereTheDeviceDoes) {
  EXPECT_EQ(code_of([&] { read(2000 * 1024 - 10, 20); }), make_error_code(Errc::truncated));
  EXPECT_EQ(code_of([&] { read(2001 * 1024, 1024); }), make_error_code(Errc::truncated));
}

TEST_F(FileOfDump, HasTheNameAndSizeOfTheDeviceAndNoDescriptor) {
  const Filesystem filesystem = image_.open();
  const Anonymizer anonymizer(filesystem, roles_, test_secret(), Strictness::plain, 1);
  const AnonymizedFile file(image_.disk, anonymizer, 1024);
  EXPECT_EQ(file.name(), "sparse.img");
  EXPECT_EQ(file.size(), 2000 * 1024);
  EXPECT_EQ(file.descriptor(), std::nullopt);
}

}  // namespace
}  // namespace e2qcow::ext2
