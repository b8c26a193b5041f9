// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/anonymize.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/real_filesystem.h"

namespace e2qcow::work {
namespace {

constexpr const char* kKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

ext2::Secret secret_of(const std::string& path) {
  KeyFile key(path);
  key.commit();
  return key.secret();
}

TEST(KeyFile, IsNotThereBeforeItIsCommitted) {
  const TempDir directory;
  { const KeyFile key(directory.file("key")); }
  EXPECT_FALSE(std::filesystem::exists(directory.file("key")));
}

TEST(KeyFile, IsMadeForItsOwnerAlone) {
  const TempDir directory;
  const std::string path = directory.file("key");
  const ext2::Secret secret = secret_of(path);
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(read_text(path).size(), 65);
  EXPECT_EQ(secret_of(path).bytes(), secret.bytes());
  EXPECT_NE(secret_of(directory.file("other")).bytes(), secret.bytes());
}

TEST(KeyFile, HasTheBytesInHexadecimalDigits) {
  const TempDir directory;
  write_text(directory.file("key"), kKey);
  const auto bytes = secret_of(directory.file("key")).bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], i);
}

TEST(KeyFile, IsRefusedIfItIsNone) {
  const std::string key = kKey;
  const TempDir directory;
  const std::string path = directory.file("key");
  for (const std::string& text :
       {std::string(), std::string("\n"), key.substr(0, 64), key + "\n", key.substr(2), "00" + key,
        "g" + key.substr(1), " " + key.substr(1), "-" + key.substr(1), key.substr(0, 62) + "0g\n"}) {
    write_text(path, text);
    const Ending ending = ending_of([&] { secret_of(path); });
    EXPECT_EQ(ending.code, make_error_code(Errc::refused)) << text;
    EXPECT_NE(ending.text.find("is not a key"), std::string::npos) << ending.text;
    EXPECT_EQ(read_text(path), text);
  }
}

TEST(KeyFile, IsNotMadeInADirectoryThatDoesNotExist) {
  const TempDir directory;
  EXPECT_NE(code_of([&] { secret_of(directory.file("none/key")); }), std::error_code());
}

class NameMap : public RealFilesystem {
 protected:
  // Makes lost+found, which has inode 11, an entry of another name.
  std::string with_name(const std::string& name) const {
    const std::string path = make("-t ext2 -b 1024", "1M");
    Bytes disk = [&] {
      const auto file = open(path);
      Bytes bytes(file->size());
      file->read(0, bytes);
      return bytes;
    }();
    const Bytes old = text_bytes("lost+found");
    const auto place = std::search(disk.begin(), disk.end(), old.begin(), old.end());
    std::ranges::copy(text_bytes(name), place);
    write_text(path, std::string(reinterpret_cast<const char*>(disk.data()), disk.size()));
    return path;
  }
  static std::string map_of(const std::string& path) {
    const Device device({.path = path});
    const Survey found = survey(device, {.find_roles = true});
    const AnonymizedDump dump(device, found, {ext2::Secret(ext2::Secret::Bytes{})}, 1);
    OutputFile file(path + ".map");
    write_name_map(dump, found, file);
    file.commit(Durability::none);
    return read_text(path + ".map");
  }
  static constexpr const char* kHead = "# inode\tinode of the directory\tnew name\told name\n";
};

TEST_F(NameMap, HasALineForEachName) {
  const std::string text = map_of(with_name("new+secret"));
  const std::string line = text.substr(std::string(kHead).size());
  EXPECT_EQ(text.substr(0, text.size() - line.size()), kHead);
  EXPECT_EQ(line.substr(0, 5), "11\t2\t");
  EXPECT_EQ(line.size(), 5 + 10 + 1 + 10 + 1);
  EXPECT_EQ(line.substr(15), "\tnew+secret\n");
}

TEST_F(NameMap, HasNamesInOneLineWhateverTheyAre) {
  const std::string text = map_of(with_name("a\n1\t2\tname"));
  EXPECT_NE(text.find("\ta\\x0a1\\x092\\x09name\n"), std::string::npos) << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

TEST_F(NameMap, HasNoNamesThatStay) {
  EXPECT_EQ(map_of(make("-t ext2 -b 1024", "1M")), kHead);
}

TEST_F(NameMap, NeedsAFileSystem) {
  const TempDir directory;
  const std::string path = directory.file("disk");
  write_text(path, std::string(1 << 20, '\0'));
  const Device device({.path = path, .accept_no_filesystem = true});
  const Survey found = survey(device, {.find_roles = true});
  EXPECT_EQ(code_of([&] { AnonymizedDump(device, found, {ext2::Secret::random()}, 1); }),
            make_error_code(Errc::not_ext2));
}

}  // namespace
}  // namespace e2qcow::work
