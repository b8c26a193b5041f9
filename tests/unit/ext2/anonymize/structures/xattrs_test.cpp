// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/xattrs.h"

#include <ext2fs/ext2fs.h>
#include <gtest/gtest.h>

#include "ext2/structures/checksum.h"
#include "ext2/structures/xattr.h"
#include "tests/support/bytes.h"
#include "tests/support/strict_rules.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kHeader = 32;
constexpr std::uint8_t kUser = 1;
constexpr std::uint8_t kAcl = 2;
constexpr std::uint8_t kSecurity = 6;
constexpr std::uint8_t kSystem = 7;
constexpr std::uint8_t kEncryption = 9;

struct Attribute {
  std::uint8_t index;
  std::string name;
  Bytes value;
  std::uint32_t value_inode = 0;
  bool has_hash = true;
};

// As libext2fs makes it. `checksum` is that of a value in an inode.
std::uint32_t right_hash(const std::string& name, Bytes value, std::uint32_t value_inode = 0,
                         std::uint32_t checksum = 0) {
  Bytes bytes(sizeof(ext2_ext_attr_entry) + name.size());
  auto* entry = reinterpret_cast<ext2_ext_attr_entry*>(bytes.data());
  entry->e_name_len = static_cast<__u8>(name.size());
  entry->e_value_size = static_cast<__u32>(value.size());
  std::ranges::copy(text_bytes(name), bytes.begin() + sizeof(ext2_ext_attr_entry));
  if (value_inode != 0) {
    value.assign(4, std::byte{0});
    set_le(value, 0, checksum, 4);
    entry->e_value_size = 4;
  }
  value.resize(round_up(value.size(), 4));
  return ext2fs_ext_attr_hash_entry(entry, value.data());
}

// A list with its values at the end, which count from `values_begin` before it.
Bytes list_of(const std::vector<Attribute>& attributes, std::size_t size, std::uint64_t values_begin) {
  Bytes area(size);
  std::uint64_t place = 0;
  std::uint64_t end = size;
  for (const Attribute& attribute : attributes) {
    const bool is_inside = attribute.value_inode == 0 && !attribute.value.empty();
    if (is_inside) end -= round_up(attribute.value.size(), 4);
    set_le(area, place, attribute.name.size(), 1);
    set_le(area, place + 1, attribute.index, 1);
    set_le(area, place + 2, is_inside ? end + values_begin : 0, 2);
    set_le(area, place + 4, attribute.value_inode, 4);
    set_le(area, place + 8, attribute.value.size(), 4);
    if (attribute.has_hash)
      set_le(area, place + 12, right_hash(attribute.name, attribute.value, attribute.value_inode, 0xaaaa), 4);
    std::ranges::copy(text_bytes(attribute.name), area.begin() + static_cast<std::ptrdiff_t>(place) + 16);
    if (is_inside) std::ranges::copy(attribute.value, area.begin() + static_cast<std::ptrdiff_t>(end));
    place += round_up(16 + attribute.name.size(), 4);
  }
  return area;
}

class Xattrs : public testing::Test {
 protected:
  void anonymize(Bytes& area) { anonymize_xattrs(area_of(area, 0), tally_); }
  XattrArea area_of(std::span<std::byte> bytes, std::uint64_t values_begin) {
    return {bytes,
            values_begin,
            secret_,
            contexts_,
            [this](std::span<std::byte> data, Tally&) {
              data_seen_.assign(data.begin(), data.end());
              std::ranges::fill(data, std::byte{'d'});
            },
            [](std::uint32_t inode) {
              EXPECT_EQ(inode, 20);
              return std::vector<ValueChecksum>{{0x1111, 0x2222}, {0xaaaa, 0xbbbb}};
            },
            rules_};
  }
  struct Found {
    std::string name;
    Bytes value;
    std::uint32_t hash;
  };
  static std::vector<Found> found_in(const Bytes& list, std::uint64_t values_begin = 0) {
    std::vector<Found> found;
    std::size_t place = 0;
    for_each_xattr(list, [&](const XattrEntry& entry) {
      Bytes value(entry.value_size);
      if (entry.value_inode == 0 && entry.value_size != 0)
        value = part_of(list, entry.value_offset - values_begin, entry.value_size);
      found.push_back({std::string(entry.name), value, load_le<std::uint32_t>(list, place + 12)});
      place += round_up(16 + entry.name.size(), 4);
    });
    return found;
  }

  const Secret secret_ = test_secret();
  const Secret contexts_ = test_secret(9);
  const StrictRules rules_ = test_rules(Strictness::plain);
  Bytes data_seen_;
  Tally tally_;
};

TEST_F(Xattrs, HaveNewNamesAndNoValues) {
  Bytes area = list_of({{kUser, "secret", text_bytes("value")}}, 200, 0);
  anonymize(area);
  const auto found = found_in(area);
  ASSERT_EQ(found.size(), 1);
  EXPECT_NE(found[0].name, "secret");
  EXPECT_EQ(found[0].name.size(), 6);
  EXPECT_EQ(found[0].value, Bytes(5));
  EXPECT_EQ(tally_.replaced, 2);
}

TEST_F(Xattrs, KeepNamesThatProgramsGive) {
  const std::vector<Attribute> known{{kSecurity, "selinux", text_bytes("u:r:t")},
                                     {kSecurity, "capability", text_bytes("cap")},
                                     {kSecurity, "SMACK64", text_bytes("label")}};
  Bytes area = list_of(known, 300, 0);
  anonymize(area);
  const auto found = found_in(area);
  ASSERT_EQ(found.size(), 3);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, known[i].name);
    EXPECT_TRUE(is_zero(found[i].value));
  }
}

// The same text in another place is a name that people gave.
TEST_F(Xattrs, KeepThemOnlyWhereTheyBelong) {
  Bytes area = list_of({{kUser, "selinux", text_bytes("value")}}, 200, 0);
  anonymize(area);
  EXPECT_NE(found_in(area)[0].name, "selinux");
}

// The kernel searches blocks for them, by index, length and name.
TEST_F(Xattrs, KeepTheirOrder) {
  std::vector<Attribute> attributes;
  for (const char* name : {"aaaa", "bbbb", "cccc", "dddd"}) attributes.push_back({kUser, name, {}});
  for (const char* name : {"aaaaaaa", "rrrrrrr", "selinux", "ttttttt", "zzzzzzz"})
    attributes.push_back({kSecurity, name, {}});
  Bytes area = list_of(attributes, 400, 0);
  anonymize(area);
  const auto found = found_in(area);
  ASSERT_EQ(found.size(), attributes.size());
  for (std::size_t i = 0; i + 1 < found.size(); ++i) {
    const bool is_same_kind = attributes[i].index == attributes[i + 1].index;
    EXPECT_TRUE(!is_same_kind || found[i].name < found[i + 1].name) << i;
  }
  EXPECT_EQ(found[6].name, "selinux");
}

TEST_F(Xattrs, KeepThatNamesAreEqual) {
  Bytes area = list_of({{kUser, "same", {}}, {kUser, "else", {}}, {kUser, "same", {}}}, 200, 0);
  anonymize(area);
  const auto found = found_in(area);
  EXPECT_EQ(found[0].name, found[2].name);
  EXPECT_NE(found[0].name, found[1].name);
}

TEST_F(Xattrs, KeepRightHashesRight) {
  Bytes area = list_of(
      {{kUser, "secret", text_bytes("value")}, {kSecurity, "selinux", text_bytes("12345678")}}, 300, 0);
  anonymize(area);
  for (const Found& found : found_in(area)) EXPECT_EQ(found.hash, right_hash(found.name, found.value));
}

TEST_F(Xattrs, KeepWrongHashesWrong) {
  Bytes area = list_of({{kUser, "secret", text_bytes("value")}}, 200, 0);
  set_le(area, 12, right_hash("secret", text_bytes("value")) ^ 0x40, 4);
  anonymize(area);
  const auto found = found_in(area);
  EXPECT_EQ(found[0].hash, right_hash(found[0].name, found[0].value) ^ 0x40);
}

TEST_F(Xattrs, KeepThatThereIsNoHash) {
  Bytes area = list_of({{kUser, "secret", text_bytes("value"), 0, false}}, 200, 0);
  anonymize(area);
  EXPECT_EQ(found_in(area)[0].hash, 0);
}

// Of the versions of the inode, the one that the hash fits.
TEST_F(Xattrs, HashValuesInInodesByTheirChecksums) {
  Bytes area = list_of({{kUser, "secret", filled(5000, 1), 20}}, 200, 0);
  anonymize(area);
  const auto found = found_in(area);
  EXPECT_EQ(found[0].hash, right_hash(found[0].name, filled(5000, 1), 20, 0xbbbb));
  EXPECT_EQ(load_le<std::uint32_t>(area, 4), 20);
}

// Kernels before 6.2 took the bytes of names for signed ones.
TEST_F(Xattrs, KnowHashesOfSignedNames) {
  Bytes area = list_of({{kUser, "\xc3\xa9\xc3\xa9", text_bytes("value")}}, 200, 0);
  std::uint32_t hash = 0;
  for (const char c : std::string("\xc3\xa9\xc3\xa9"))
    hash = (hash << 5) ^ (hash >> 27) ^ static_cast<std::uint32_t>(static_cast<signed char>(c));
  Bytes padded = text_bytes("value");
  padded.resize(8);
  for (const std::size_t i : {0, 4}) hash = (hash << 16) ^ (hash >> 16) ^ load_le<std::uint32_t>(padded, i);
  set_le(area, 12, hash, 4);
  anonymize(area);
  const auto found = found_in(area);
  EXPECT_EQ(found[0].hash, right_hash(found[0].name, found[0].value));
}

TEST_F(Xattrs, KeepListsOfPermissions) {
  Bytes acl =
      bytes_of({1, 0, 0, 0, 1, 0, 6, 0, 2, 0, 7, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 16, 0, 7, 0, 32, 0, 0, 0});
  Bytes no_acl = acl;
  no_acl[4] = std::byte{'s'};
  Bytes area = list_of({{kAcl, "", acl}}, 200, 0);
  anonymize(area);
  EXPECT_EQ(found_in(area)[0].value, acl);
  area = list_of({{kAcl, "", no_acl}}, 200, 0);
  anonymize(area);
  EXPECT_TRUE(is_zero(found_in(area)[0].value));
}

Bytes encryption_context(std::uint64_t version, int key, int nonce) {
  Bytes context = filled(version == 1 ? 28 : 40, key);
  set_le(context, 0, version, 1);
  set_le(context, 1, 1, 1);  // of contents
  set_le(context, 2, 4, 1);  // of names
  set_le(context, 3, 2, 1);  // flags
  std::ranges::fill(std::span(context).last(16), static_cast<std::byte>(nonce));
  return context;
}

// e2fsck compares them.
TEST_F(Xattrs, KeepWhetherEncryptionIsTheSame) {
  for (const std::uint64_t version : {1, 2}) {
    std::vector<Bytes> values;
    for (const int key : {7, 7, 8}) {
      Bytes area = list_of({{kEncryption, "c", encryption_context(version, key, 3)}}, 200, 0);
      anonymize(area);
      values.push_back(found_in(area)[0].value);
      EXPECT_EQ(part_of(values.back(), 0, 4), part_of(encryption_context(version, key, 3), 0, 4));
      EXPECT_NE(part_of(values.back(), 8, 4), filled(4, key));
      EXPECT_NE(part_of(values.back(), values.back().size() - 16, 16), filled(16, 3));
    }
    EXPECT_EQ(values[0], values[1]);
    EXPECT_NE(values[0], values[2]);
  }
}

TEST_F(Xattrs, HaveNoEncryptionContextOfAnotherSize) {
  Bytes area = list_of({{kEncryption, "c", text_bytes("\1 a secret")}}, 200, 0);
  anonymize(area);
  EXPECT_TRUE(is_zero(found_in(area)[0].value));
}

TEST_F(Xattrs, LeaveContentsToTheInode) {
  Bytes area = list_of({{kSystem, "data", text_bytes("contents")}}, 200, 0);
  anonymize(area);
  EXPECT_EQ(data_seen_, text_bytes("contents"));
  EXPECT_EQ(found_in(area)[0].value, filled(8, 'd'));
}

TEST_F(Xattrs, AreZeroInBetween) {
  Bytes area = list_of({{kUser, "secret", text_bytes("value")}}, 200, 0);
  Bytes dirty = area;
  std::ranges::fill(std::span(dirty).subspan(28, 192 - 28), std::byte{'s'});  // behind the end of the list
  std::ranges::fill(std::span(dirty).subspan(24, 4), std::byte{0});
  set_le(area, 22, 0, 2);
  set_le(dirty, 22, 0x7373, 2);  // a pad
  anonymize(area);
  anonymize(dirty);
  EXPECT_EQ(dirty, area);
}

TEST_F(Xattrs, ReadNoValueOutsideOfTheirArea) {
  for (const std::uint64_t offset : {0, 20, 196, 0xffff}) {
    Bytes area = list_of({{kAcl, "", filled(8, 1)}}, 200, 0);
    set_le(area, 2, offset, 2);
    anonymize(area);
    EXPECT_TRUE(is_zero(std::span(area).subspan(16))) << offset;
  }
}

TEST_F(Xattrs, StillBreakOffWhereTheyDid) {
  Bytes area = list_of({{kUser, "secret", {}}}, 60, 0);
  std::ranges::fill(std::span(area).subspan(24), std::byte{'s'});
  anonymize(area);
  EXPECT_EQ(tally_.not_parsed, 1);
  EXPECT_EQ(found_in(area).size(), 1);
  EXPECT_NE(load_le<std::uint32_t>(area, 24), 0);
  EXPECT_TRUE(is_zero(std::span(area).subspan(25)));
}

class XattrBlock : public Xattrs {
 protected:
  static Bytes block_of(const std::vector<Attribute>& attributes, std::uint32_t wrong_by = 0) {
    Bytes block = filled(kHeader, 's');
    const Bytes list = list_of(attributes, 1024 - kHeader, kHeader);
    block.insert(block.end(), list.begin(), list.end());
    set_le(block, 0, EXT2_EXT_ATTR_MAGIC, 4);
    set_le(block, 12, right_hash_of(block), 4);
    set_le(block, 16, right_checksum(block) ^ wrong_by, 4);
    return block;
  }
  // Source: libext2fs, ext2fs_ext_attr_block_rehash()
  static std::uint32_t right_hash_of(const Bytes& block) {
    std::uint32_t hash = 0;
    for (const Found& found : found_in(part_of(block, kHeader, block.size() - kHeader), kHeader)) {
      if (found.hash == 0) return 0;
      hash = (hash << 16) ^ (hash >> 16) ^ found.hash;
    }
    return hash;
  }
  static std::uint32_t right_checksum(Bytes block) {
    set_le(block, 16, 0, 4);
    return crc32c(0x1234'5678, block);
  }
  void anonymize_block(Bytes& block, bool has_checksums) {
    anonymize_xattr_block(area_of(std::span(block).subspan(kHeader), kHeader), {has_checksums}, block,
                          tally_);
  }
};

TEST_F(XattrBlock, KeepsItsHashAndChecksum) {
  for (const std::uint32_t wrong_by : {0U, 0x400U}) {
    Bytes block = block_of({{kUser, "secret", text_bytes("value")}, {kUser, "secrets", {}}}, wrong_by);
    anonymize_block(block, true);
    EXPECT_EQ(load_le<std::uint32_t>(block, 12), right_hash_of(block));
    EXPECT_EQ(load_le<std::uint32_t>(block, 16), right_checksum(block) ^ wrong_by);
    EXPECT_TRUE(is_zero(std::span(block).subspan(20, 12)));
    EXPECT_EQ(part_of(block, 0, 4), bytes_of({0, 0, 2, 0xea}));
  }
}

TEST_F(XattrBlock, HasNothingInPlaceOfAChecksumIfThereAreNone) {
  Bytes block = block_of({{kUser, "secret", text_bytes("value")}});
  anonymize_block(block, false);
  EXPECT_EQ(load_le<std::uint32_t>(block, 16), 0);
}

TEST_F(XattrBlock, IsZeroWithoutItsMagic) {
  Bytes block = block_of({{kUser, "secret", text_bytes("value")}});
  block[0] = std::byte{1};
  anonymize_block(block, true);
  EXPECT_TRUE(is_zero(block));
  EXPECT_EQ(tally_.not_parsed, 1);
}

}  // namespace
}  // namespace e2qcow::ext2
