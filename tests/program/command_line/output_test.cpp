// SPDX-License-Identifier: GPL-2.0-or-later
// What the commands print: JSON for programs, text for people.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Output : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure())
      make_file_system({{"-t", "ext2", "-b", "1024", "-L", "holds it"}});
  }

  json json_of(Words words) const {
    words.insert(words.begin(), E2QCOW_PROGRAM);
    words.emplace_back("--json");
    return json::parse(output_of(words));
  }
  static std::uint64_t sum(const json& classes) {
    std::uint64_t total = 0;
    for (const auto& bytes : classes) total += bytes.get<std::uint64_t>();
    return total;
  }
  std::uint64_t size_of(const std::string& name) const { return fs::file_size(path(name)); }
};

TEST_F(Output, InfoAgreesWithQemuAndDumpe2fs) {
  json_of({"dump", "disk.img", "image.qcow2"});
  const json info = json_of({"info", "image.qcow2"});
  const json qemu = json::parse(output_of({"qemu-img", "info", "--output=json", "image.qcow2"}));
  EXPECT_EQ(info["format"], qemu["format"]);
  EXPECT_EQ(info["virtual-size"], qemu["virtual-size"]);
  EXPECT_EQ(info["cluster-size"], qemu["cluster-size"]);
  EXPECT_EQ(info["dirty"], qemu["dirty-flag"]);
  const json& special = qemu["format-specific"]["data"];
  EXPECT_EQ(info["version"], special["compat"] == "1.1" ? 3 : 2);
  EXPECT_EQ(info["compression-type"], special["compression-type"]);
  EXPECT_EQ(info["refcount-bits"], special["refcount-bits"]);
  EXPECT_EQ(info["corrupt"], special["corrupt"]);
  EXPECT_EQ(info["file-size"], size_of("image.qcow2"));
  const json& filesystem = info["filesystem"];
  EXPECT_EQ(filesystem["label"], header_field("Filesystem volume name"));
  EXPECT_EQ(filesystem["uuid"], header_field("Filesystem UUID"));
  EXPECT_EQ(filesystem["features"], header_field("Filesystem features"));
  EXPECT_EQ(filesystem["state"], header_field("Filesystem state"));
  EXPECT_EQ(filesystem["block-size"], std::stoull(header_field("Block size")));
  EXPECT_EQ(filesystem["blocks"], std::stoull(header_field("Block count")));
  EXPECT_EQ(filesystem["free-blocks"], std::stoull(header_field("Free blocks")));
  EXPECT_EQ(filesystem["inodes"], std::stoull(header_field("Inode count")));
  EXPECT_EQ(filesystem["free-inodes"], std::stoull(header_field("Free inodes")));
  EXPECT_EQ(info["dump"]["kind"], "metadata");
  EXPECT_EQ(info["dump"]["complete"], true);
  EXPECT_EQ(info["dump"]["lost-bytes"], 0);
}

TEST_F(Output, InfoPrintsTheSameAsText) {
  json_of({"dump", "--all", "disk.img", "image.qcow2"});
  const std::string text = output_of({E2QCOW_PROGRAM, "info", "image.qcow2"});
  for (const std::string& fact :
       {std::string("'holds it'"), header_field("Filesystem UUID"), header_field("Filesystem features"),
        header_field("Block count"), std::string("33554432"), std::string("all blocks in use"),
        std::string("inode tables"), std::string("directories")})
    EXPECT_NE(text.find(fact), std::string::npos) << fact << " is not in\n" << text;
}

TEST_F(Output, DumpReportsWhatItWrote) {
  const json dump = json_of({"dump", "--all", "disk.img", "image.qcow2"});
  EXPECT_EQ(dump["image"], "image.qcow2");
  EXPECT_EQ(dump["kind"], "all");
  EXPECT_EQ(dump["disk-size"], size_of("disk.img"));
  EXPECT_EQ(dump["image-size"], size_of("image.qcow2"));
  EXPECT_EQ(dump["lost-bytes"], 0);
  EXPECT_EQ(dump["inconsistencies"], 0);
  EXPECT_EQ(dump["selected-bytes"], sum(dump["classes"]));
  EXPECT_EQ(dump["classes"], json_of({"info", "image.qcow2"})["dump"]["classes"]);
}

TEST_F(Output, RestoreReportsWhatItWrote) {
  json_of({"dump", "disk.img", "image.qcow2"});
  const json restore = json_of({"restore", "image.qcow2", "disk.raw"});
  EXPECT_EQ(restore["target"], "disk.raw");
  EXPECT_EQ(restore["size"], size_of("disk.raw"));
  EXPECT_EQ(restore["data-bytes"], json_of({"info", "image.qcow2"})["data-bytes"]);
}

TEST_F(Output, ClassesAreWhatDumpe2fsCounts) {
  const json classes = json_of({"measure", "disk.img"})["classes"];
  EXPECT_EQ(classes["block bitmaps"], 4 * 1024);
  EXPECT_EQ(classes["superblocks"], 4 * 1024);  // of groups 0, 1 and 3, and the boot block
}

TEST_F(Output, NoUncompressedImageIsLargerThanMeasured) {
  for (const char* kind : {"--all", "--force"}) {  // the latter changes nothing: metadata
    const json measure = json_of({"measure", kind, "disk.img"});
    EXPECT_EQ(measure["selected-bytes"], sum(measure["classes"]));
    EXPECT_EQ(measure["disk-size"], size_of("disk.img"));
    EXPECT_EQ(measure["image-sizes"].size(), 13);  // 512 to 2 MiB
    for (const json& weight : measure["image-sizes"]) {
      const std::string size = std::to_string(weight["cluster-size"].get<std::uint64_t>());
      Words words{"dump", kind, "--cluster-size=" + size, "disk.img", "image.qcow2"};
      for (const std::string& option : uncompressed()) words.push_back(option);
      const json dump = json_of(words);
      EXPECT_GE(weight["image-size"], size_of("image.qcow2")) << size;
      EXPECT_EQ(dump["selected-bytes"], measure["selected-bytes"]);
    }
  }
}

TEST_F(Output, TheEstimateIsCloseToTheDump) {
  output_of({"cp", "--sparse=always", "disk.img", "sparse.img"});
  output_of({"cp", "--sparse=never", "disk.img", "dense.img"});
  for (const Words& kind :
       {Words{"sparse.img"}, Words{"dense.img"}, Words{"--all", "sparse.img"}, Words{"--all", "dense.img"}}) {
    Words measure{"measure"};
    measure.insert(measure.end(), kind.begin(), kind.end());
    Words dump{"dump"};
    dump.insert(dump.end(), kind.begin(), kind.end());
    dump.push_back("image.qcow2");
    const double estimate = json_of(measure)["estimate"]["image-size"].get<double>();
    const double size = json_of(dump)["image-size"].get<double>();
    EXPECT_NEAR(estimate / size, 1, 0.1) << estimate << " and " << size;
  }
}

TEST_F(Output, ACompressedImageIsExactlyAsLargeAsMeasured) {
  for (const char* how : {"zstd:5", "zlib"}) {
    const std::string compress = std::string("--compress=") + how;
    const json measure = json_of({"measure", compress, "disk.img"});
    std::uint64_t smallest = ~0ULL;
    for (const json& weight : measure["image-sizes"]) {
      const std::string cluster_size = std::to_string(weight["cluster-size"].get<std::uint64_t>());
      json_of({"dump", compress, "--cluster-size=" + cluster_size, "disk.img", "image.qcow2"});
      EXPECT_EQ(weight["image-size"], size_of("image.qcow2")) << how << ' ' << cluster_size;
      smallest = std::min(smallest, size_of("image.qcow2"));
    }
    json_of({"dump", compress, "--cluster-size=auto", "disk.img", "image.qcow2"});
    EXPECT_EQ(size_of("image.qcow2"), smallest) << how;
    EXPECT_EQ(json_of({"info", "image.qcow2"})["cluster-size"], measure["best-cluster-size"]) << how;
  }
}

TEST_F(Output, DumpNamesTheNodeThatMayHaveTheFileSystem) {
  make_file_system({.tune2fs = {"-O", "mmp"}});
  EXPECT_EQ(e2qcow({"dump", "-q", "disk.img", "image.qcow2"}), (Outcome{0, "", ""}));
  const std::uint64_t mmp = std::stoull(header_field("MMP block number")) * block_size();
  patch_file(path("disk.img"), mmp + 4, std::string("\5\0\0\0", 4));              // the sequence number
  patch_file(path("disk.img"), mmp + 16, std::string("else\x1b[1mwhere\0", 14));  // the node's name
  patch_file(path("disk.img"), mmp + 80, std::string("sdx7\0", 5));               // the device's
  const Outcome dump = e2qcow({"dump", "-q", "disk.img", "image.qcow2"});
  EXPECT_EQ(dump.status, 0) << dump;
  EXPECT_NE(dump.err.find("node 'else\\x1b[1mwhere' has mounted it as 'sdx7'"), std::string::npos) << dump;
}

TEST_F(Output, TextFromTheDiskIsEscaped) {
  output_of({"tune2fs", "-L", "a\x1b[31m\n\x7f\xff", "disk.img"});
  json_of({"dump", "disk.img", "image.qcow2"});
  EXPECT_EQ(json_of({"info", "image.qcow2"})["filesystem"]["label"], "a\\x1b[31m\\x0a\\x7f\\xff");
  const std::string text = output_of({E2QCOW_PROGRAM, "info", "image.qcow2"});
  EXPECT_NE(text.find("'a\\x1b[31m\\x0a\\x7f\\xff'"), std::string::npos) << text;
}

TEST_F(Output, NamesOfFilesAreEscapedToo) {
  expect_failure(e2qcow({"dump", "no\x1b[31m\nsuch.img", "image.qcow2"}), {"no\\x1b[31m\\x0asuch.img: open"});
  for (const Words& words : {Words{"dump", "disk.img", "image.qcow2", "more\x1b[31m\xe2\x80\xae"},
                             Words{"dump", "--offset=\x1b[31m\xe2\x80\xae", "disk.img", "image.qcow2"},
                             Words{"dump", "--compress=\x1b[31m\xe2\x80\xae", "disk.img", "image.qcow2"}}) {
    const Outcome usage = e2qcow(words);
    EXPECT_EQ(usage.status, 2) << usage;
    EXPECT_NE(usage.err.find("\\x1b[31m\\xe2\\x80\\xae"), std::string::npos) << usage;
  }
}

TEST_F(Output, QuietPrintsNothingOnSuccess) {
  const Outcome nothing{0, "", ""};
  EXPECT_EQ(e2qcow({"dump", "--quiet", "disk.img", "image.qcow2"}), nothing);
  EXPECT_EQ(e2qcow({"restore", "--quiet", "image.qcow2", "disk.raw"}), nothing);
  EXPECT_EQ(e2qcow({"dump", "-q", "--progress=always", "disk.img", "image.qcow2"}), nothing);
}

TEST_F(Output, QuietStillReportsErrors) {
  fs::resize_file(path("disk.img"), 20 << 20);
  const Outcome dump = e2qcow({"dump", "--quiet", "disk.img", "image.qcow2"});
  EXPECT_EQ(dump.status, 3);
  EXPECT_NE(dump.err.find("shorter than its file system"), std::string::npos) << dump;
}

TEST_F(Output, ItIsPlainTextWithoutATerminal) {
  for (const Words& words : {Words{"dump", "disk.img", "image.qcow2"}, Words{"measure", "disk.img"},
                             Words{"info", "image.qcow2"}, Words{"restore", "image.qcow2", "disk.raw"}}) {
    const Outcome outcome = e2qcow(words, faulty({"FAULTY_CLOCK=1"}));
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ((outcome.out + outcome.err).find_first_of("\x1b\r\b"), std::string::npos) << outcome;
  }
}

TEST_F(Output, ProgressIsDrawnOnATerminal) {
  require_program("script");
  if (IsSkipped()) return;
  const std::string command = "'" E2QCOW_PROGRAM "' dump --all disk.img image.qcow2";
  const Outcome outcome =
      run({"script", "--quiet", "--return", "--command", command, "/dev/null"}, faulty({"FAULTY_CLOCK=1"}));
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_NE(outcome.out.find("\rdump "), std::string::npos) << outcome;
  EXPECT_NE(outcome.out.find(" % "), std::string::npos) << outcome;
}

TEST_F(Output, ProgressIsDrawnOnRequest) {
  for (const Words& words : {Words{"dump", "--progress=always", "--all", "disk.img", "image.qcow2"},
                             Words{"restore", "--progress=always", "image.qcow2", "disk.raw"}}) {
    const Outcome outcome = e2qcow(words, faulty({"FAULTY_CLOCK=1"}));
    EXPECT_NE(outcome.err.find("\r" + words[0] + " "), std::string::npos) << outcome;
    EXPECT_NE(outcome.err.find("100 %"), std::string::npos) << outcome;
  }
}

TEST_F(Output, ProgressForProgramsIsJsonLineByLine) {
  for (const Words& words : {Words{"dump", "-q", "--progress=json", "--all", "disk.img", "image.qcow2"},
                             Words{"measure", "-q", "--progress=json", "disk.img"},
                             Words{"restore", "-q", "--progress=json", "image.qcow2", "disk.raw"}}) {
    std::istringstream lines(e2qcow(words, faulty({"FAULTY_CLOCK=2"})).err);
    std::string line;
    json last;
    while (std::getline(lines, line)) {
      last = json::parse(line);
      EXPECT_TRUE(last["phase"].is_string()) << line;
      EXPECT_TRUE(last["seconds"].is_number()) << line;
      EXPECT_LE(last["done"], last["total"]) << line;
    }
    EXPECT_TRUE(last.is_object()) << words[0] << " has no progress at all";
  }
}

}  // namespace
}  // namespace e2qcow::test
