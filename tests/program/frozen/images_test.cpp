// SPDX-License-Identifier: GPL-2.0-or-later
// Images that were made long ago, by us and by others, are still read as they were.
#include <sstream>

#include "tests/program/support/frozen.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The JSON has all that the older one has, as it was; it may have more.
void expect_keeps(const json& now, const json& then, const std::string& where) {
  if (!then.is_object()) {
    EXPECT_EQ(now, then) << where;
    return;
  }
  for (const auto& [key, value] : then.items()) {
    ASSERT_TRUE(now.contains(key)) << where << '/' << key;
    expect_keeps(now[key], value, where + "/" + key);
  }
}

class FrozenImages : public FrozenTest {
 protected:
  void expect_all_hold_their_disk() const {
    for (const auto& [name, sha256] : sha256_of_names(read_file(path("restored.sha256"))))
      expect_holds(name, sha256);
  }
};

class ImagesOfOurVersion : public FrozenImages, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    FrozenImages::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) unpack("e2qcow/" + GetParam());
  }
};

TEST_P(ImagesOfOurVersion, HoldTheSameDisk) {
  expect_all_hold_their_disk();
}

TEST_P(ImagesOfOurVersion, AreWithoutFault) {
  for (const std::string& name : names_ending_in(".qcow2")) {
    const Outcome check = e2qcow({"check", "--data", name + ".qcow2"});
    EXPECT_EQ(check.status, 0) << check;
  }
}

// The numbers of classes and findings in our header extension included.
TEST_P(ImagesOfOurVersion, SayTheSameOfThemselves) {
  for (const std::string& name : names_ending_in(".json"))
    expect_keeps(json_of({"info", "--json", name + ".qcow2"}), json::parse(read_file(path(name + ".json"))),
                 name);
}

Words our_versions() {
  const fs::path versions = fs::path(E2QCOW_TESTDATA) / "e2qcow";
  return fs::exists(versions) ? names_in(versions) : Words{};
}

std::string name_of_version(const testing::TestParamInfo<std::string>& tested) {
  std::string name = tested.param;
  std::ranges::replace(name, '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Versions, ImagesOfOurVersion, testing::ValuesIn(our_versions()), name_of_version);

TEST_F(FrozenImages, OfQemuHoldTheSameDisk) {
  unpack("qemu");
  expect_all_hold_their_disk();
}

TEST_F(FrozenImages, OfQemuAreWithoutFault) {
  unpack("qemu");
  for (const auto& [name, sha256] : sha256_of_names(read_file(path("restored.sha256"))))
    EXPECT_EQ(e2qcow({"check", "--data", name + ".qcow2"}).status, 0) << name;
}

TEST_F(FrozenImages, OfQemuWithADataFileAreRefused) {
  unpack("qemu");
  expect_failure(e2qcow({"restore", "data-file.qcow2", "out"}), {"data-file.qcow2", "external data file"});
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(FrozenImages, OfE2imageHoldTheSameDisk) {
  unpack("e2image-1.47.0");
  expect_all_hold_their_disk();
}

// Our e2image without the other one beside it. That is without -a for ext4: ours has copies of the
// superblock, too.
TEST_F(FrozenImages, OfE2imageAreMadeByOursAgain) {
  unpack("ext");
  unpack("e2image-1.47.0");
  for (const std::string name : {"ext2-Q", "ext2-Qa", "ext4-Q"}) {
    const std::string disk = name.substr(0, 4) + ".img";
    EXPECT_EQ(run({E2IMAGE_PROGRAM, name.substr(4), disk, "ours.qcow2"}).status, 0);
    expect_same_bytes("ours.qcow2", name + ".qcow2");
    fs::remove(path("ours.qcow2"));
  }
}

// Of a file system that was never written with another program in between, the same bytes with each version
// of ours; the version itself, which is in the header, aside. Digests are of the version as well.
TEST_F(FrozenImages, OfTheSameDiskHaveTheSameBytesAsEver) {
  unpack("ext");
  std::string version = output_of({E2QCOW_PROGRAM, "--version"}).substr(sizeof "e2qcow");
  version.resize(version.find('\n'));
  ASSERT_EQ(version.size(), 5U) << "the header extension has another length now";
  const std::string field = std::string("\0\2\0\5", 4) + version.substr(0, 5);
  for (const auto& [how, sha256] : sha256_of_names(read_file(path("dumps.sha256")))) {
    std::istringstream options(how);
    Words words{std::istream_iterator<std::string>(options), {}};
    words[0] += ".img";
    words.insert(words.begin(), {"dump", "-q", "--digest", "none"});
    words.emplace_back("image.qcow2");
    EXPECT_EQ(e2qcow(words).status, 0) << how;
    const std::size_t at = read_bytes(path("image.qcow2"), 0, 512).find(field);
    ASSERT_NE(at, std::string::npos) << how;
    patch_file(path("image.qcow2"), at + 4, "?????");
    EXPECT_EQ(sha256_of("image.qcow2"), sha256) << how;
  }
}

}  // namespace
}  // namespace e2qcow::test
