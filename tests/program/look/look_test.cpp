// SPDX-License-Identifier: GPL-2.0-or-later
// Looking into images: map, compare, info of what others made, and what is never opened.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Look : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    require_program("qemu-img");
    if (!IsSkipped()) make_file_system({{"-t", "ext4", "-b", "1024"}});
  }
  json json_of(Words words) const {
    words.insert(words.begin(), E2QCOW_PROGRAM);
    words.emplace_back("--json");
    return json::parse(output_of(words));
  }
};

TEST_F(Look, TheClassesOfAMapAreThoseOfTheDump) {
  for (const char* kind : {"--all", "--force"}) {
    const json dump = json_of({"dump", "-q", kind, "disk.img", "image.qcow2"});
    std::map<std::string, std::uint64_t> bytes;
    std::uint64_t end = 0;
    for (const json& range : json_of({"map", "--classes", "image.qcow2"})) {
      EXPECT_GE(range["start"].get<std::uint64_t>(), end);
      end = range["start"].get<std::uint64_t>() + range["length"].get<std::uint64_t>();
      bytes[range["class"]] += range["length"].get<std::uint64_t>();
    }
    for (const auto& [name, count] : dump["classes"].items())
      EXPECT_GE(bytes[name], count.get<std::uint64_t>()) << name;  // the dump leaves out holes of the file
  }
}

TEST_F(Look, TheMapOfADumpIsThatOfQemu) {
  json_of({"dump", "--all", "--compress=none", "disk.img", "image.qcow2"});
  json ours = json_of({"map", "image.qcow2"});
  const json theirs = json::parse(output_of({"qemu-img", "map", "--output=json", "image.qcow2"}));
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ours[i].erase("compressed");
    EXPECT_EQ(ours[i], theirs[i]);
  }
}

TEST_F(Look, ComparesWithTheDiskItCameFrom) {
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"}).status, 0);
  EXPECT_EQ(e2qcow({"restore", "-q", "image.qcow2", "restored"}).status, 0);
  for (const Words& pair :
       {Words{"image.qcow2", "restored"}, Words{"restored", "image.qcow2"}, Words{"restored", "restored"}}) {
    EXPECT_EQ(e2qcow({"compare", pair[0], pair[1]}).status, 0);
    output_of({"qemu-img", "compare", pair[0], pair[1]});
  }
}

// Free blocks of the disk, and files that are not in the dump, have old contents.
// Of the rest nothing is said.
TEST_F(Look, ComparesADumpWithALargerDisk) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--all", "disk.img", "dump.qcow2"});
  write_file(path("larger"), read_file(path("disk.img")) + std::string(1 << 20, '\x55'));
  const Outcome outcome = e2qcow({"compare", "dump.qcow2", "larger"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_NE(outcome.out.find("in what dump.qcow2 holds"), std::string::npos) << outcome;
  EXPECT_EQ(outcome.out.find("zeros"), std::string::npos) << outcome;
  EXPECT_EQ(e2qcow({"compare", "--everything", "dump.qcow2", "larger"}).status, 1);
}

TEST_F(Look, ComparesADumpWithItsDiskInWhatItHolds) {
  const std::string free_block = output_of({"debugfs", "-R", "ffb 1 20000", "disk.img"});
  const std::uint64_t block = std::stoull(free_block.substr(free_block.find(':') + 1));
  patch_file(path("disk.img"), block * 1024, "old contents");
  for (const char* kind : {"--all", "--retries=1"}) {
    EXPECT_EQ(e2qcow({"dump", "-q", kind, "disk.img", "image.qcow2"}).status, 0);
    EXPECT_EQ(e2qcow({"compare", "image.qcow2", "disk.img"}),
              (Outcome{0, "The disks are the same in what image.qcow2 holds\n", ""}));
    EXPECT_EQ(e2qcow({"compare", "-q", "disk.img", "image.qcow2"}).status, 0);
    EXPECT_EQ(e2qcow({"compare", "-q", "--everything", "image.qcow2", "disk.img"}).status, 1);
  }
  const std::string place = output_of({"debugfs", "-R", "imap /many", "disk.img"});
  const std::uint64_t table = std::stoull(place.substr(place.find("located at block ") + 17));
  patch_file(path("disk.img"), table * 1024 + 17, "\xee");
  const Outcome outcome = e2qcow({"compare", "disk.img", "image.qcow2"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("inode tables"), std::string::npos) << outcome;
}

// With the data of the disk in a file of its own, as QEMU makes it.
TEST_F(Look, AnExternalDataFileIsReadIfItIsNamed) {
  for (const char* raw : {"off", "on"}) {
    const std::string options = std::string("data_file=data,data_file_raw=") + raw;
    output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", options, "image", "32M"});
    output_of({"qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", "disk.img", "image"});
    expect_failure(e2qcow({"restore", "image", "ours"}),
                   {"image: needs its external data file", "--data-file FILE"});
    EXPECT_EQ(e2qcow({"restore", "-q", "--data-file=data", "image", "ours"}), (Outcome{0, "", ""}));
    output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image", "theirs"});
    expect_same_bytes("ours", "theirs");
    expect_failure(e2qcow({"restore", "--data-file=data", "image", "data"}),
                   {"would overwrite the input data"});
    EXPECT_EQ(e2qcow({"compare", "-q", "--data-file=data", "image", "disk.img"}).status, 0);
    EXPECT_EQ(e2qcow({"check", "--data", "image"}).status, 0);
    EXPECT_EQ(e2qcow({"check", "--data-file=data", "image"}).status, 0);
    EXPECT_EQ(json_of({"info", "--data-file=data", "image"})["filesystem"]["state"], "clean");
    EXPECT_EQ(json_of({"info", "image"}).contains("filesystem"), false);
    const json ours = json_of({"map", "--data-file=data", "image"});
    EXPECT_EQ(ours.back()["start"].get<std::uint64_t>() + ours.back()["length"].get<std::uint64_t>(),
              32U << 20);
    EXPECT_EQ(
        output_of({E2QCOW_PROGRAM, "exec", "--data-file=data", "--", "e2fsck", "-fn", "image"}).find("ERROR"),
        std::string::npos);
    fs::resize_file(path("data"), 1 << 20);
    EXPECT_EQ(e2qcow({"restore", "--data-file=data", "image", "cut"}).status, 1);
    for (const char* name : {"image", "data", "ours", "theirs"}) fs::remove(path(name));
  }
}

TEST_F(Look, ExplainsWhyAMetadataDumpDiffersFromItsDisk) {
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "image.qcow2"}).status, 0);
  const Outcome outcome = e2qcow({"compare", "--everything", "disk.img", "image.qcow2"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("image.qcow2 is a metadata-only dump"), std::string::npos) << outcome;
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "all.qcow2"}).status, 0);
  const Outcome other = e2qcow({"compare", "all.qcow2", "image.qcow2"});
  EXPECT_NE(other.out.find("image.qcow2 is a metadata-only dump"), std::string::npos) << other;
  EXPECT_EQ(other.out.find("all.qcow2 is"), std::string::npos) << other;
}

TEST_F(Look, ReportsWhereDisksDifferAndInWhichStructure) {
  EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"}).status, 0);
  EXPECT_EQ(e2qcow({"restore", "-q", "image.qcow2", "restored"}).status, 0);
  const std::uint64_t block = std::stoull(output_of(
      {"sh", "-c",
       "dumpe2fs disk.img 2>/dev/null | sed -n 's/.*Inode table at \\([0-9]*\\)-.*/\\1/p' | head -n 1"}));
  patch_file(path("restored"), block * 1024 + 700, "\xee");
  patch_file(path("restored"), 30 << 20, "\xee");
  const Outcome outcome = e2qcow({"compare", "image.qcow2", "restored"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("first at " + std::to_string(block * 1024 + 700) + " (block " +
                             std::to_string(block) + ", inode tables)"),
            std::string::npos)
      << outcome;
}

TEST_F(Look, DisksOfDifferentSizesAreTheSameWhenTheRestIsZeros) {
  write_file(path("a"), std::string(100000, 'x'));
  write_file(path("b"), std::string(100000, 'x') + std::string(30000, '\0'));
  EXPECT_EQ(e2qcow({"compare", "a", "b"}).status, 0);
  EXPECT_EQ(e2qcow({"compare", "b", "a"}).status, 0);
  EXPECT_EQ(e2qcow({"compare", "--strict", "a", "b"}).status, 1);
  write_file(path("c"), std::string(100000, 'x') + "y");
  EXPECT_EQ(e2qcow({"compare", "a", "c"}).status, 1);
  EXPECT_EQ(e2qcow({"compare", "c", "a"}).status, 1);
  EXPECT_EQ(e2qcow({"compare", "a", "missing"}).status, 2);
}

TEST_F(Look, AFileThatLooksLikeBothMustBeNamed) {
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "image.qcow2"}).status, 0);
  copy_disk(path("disk.img"), path("both"));
  patch_file(path("both"), 0, read_file(path("image.qcow2")).substr(0, 512));
  const Outcome outcome = e2qcow({"compare", "both", "disk.img"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("FILE:qcow2 or FILE:raw"), std::string::npos) << outcome;
  EXPECT_EQ(e2qcow({"compare", "both:raw", "disk.img"}).status, 1);
}

TEST_F(Look, NothingThatAnImageNamesIsOpenedOrLookedAt) {
  require_program("strace");
  if (IsSkipped()) return;
  write_file(path("SECRET"), std::string(1 << 20, 's'));
  output_of(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-b", path("SECRET").string(), "-F", "raw", "overlay"});
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=SECRET2,data_file_raw=on",
             "data-file", "1M"});
  for (const char* command : {"info", "check", "map", "restore"})
    for (const char* image : {"overlay", "data-file"}) {
      Words words{"strace", "-f", "-o", "trace", E2QCOW_PROGRAM, command, image};
      if (std::string(command) == "restore") words.emplace_back("target");
      run(words);
      EXPECT_EQ(read_file(path("trace")).find("SECRET"), std::string::npos) << command << ' ' << image;
    }
  const json info = json_of({"info", "data-file"});
  EXPECT_EQ(info["data-file"], "SECRET2");
  EXPECT_NE(info["unreadable"].get<std::string>().find("external data file"), std::string::npos);
  EXPECT_EQ(json_of({"info", "overlay"})["backing-file"], path("SECRET").string());
}

TEST_F(Look, InfoListsExtensionsOfOtherPrograms) {
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "image", "4M"});
  output_of({"qemu-img", "snapshot", "-c", "before\x1b[1m", "image"});
  output_of({"qemu-img", "bitmap", "--add", "-g", "64k", "image", "changes"});
  const json info = json_of({"info", "image"});
  EXPECT_EQ(info["snapshots"][0]["name"], "before\\x1b[1m");
  EXPECT_EQ(info["snapshots"][0]["id"], "1");
  EXPECT_EQ(info["bitmaps"][0]["name"], "changes");
  EXPECT_EQ(info["bitmaps"][0]["granularity-bits"], 16);
  EXPECT_EQ(run({E2QCOW_PROGRAM, "info", "image"}).out.find('\x1b'), std::string::npos);
}

TEST_F(Look, InfoNamesTheFeaturesThatAnImageNeeds) {
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "image.qcow2"}).status, 0);
  EXPECT_EQ(json_of({"info", "image.qcow2"})["incompatible-features"], json::array({"compression type"}));
  patch_file(path("image.qcow2"), 72, std::string("\x80\0\0\0\0\0\0\x08", 8));
  const json info = json_of({"info", "image.qcow2"});
  EXPECT_EQ(info["incompatible-features"], json::array({"compression type", "bit 63"}));
  EXPECT_NE(info["unreadable"].get<std::string>().find("incompatible feature bit 63"), std::string::npos);
}

TEST_F(Look, LimitsAreOptions) {
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "image", "4M"});
  expect_failure(e2qcow({"restore", "--max-size=3M", "image", "target"}), {"4194304 bytes", "--max-size"});
  EXPECT_EQ(e2qcow({"restore", "-q", "--max-size=4M", "image", "target"}).status, 0);
}

}  // namespace
}  // namespace e2qcow::test
