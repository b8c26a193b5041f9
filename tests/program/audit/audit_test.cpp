// SPDX-License-Identifier: GPL-2.0-or-later
// The proof that a dump has nothing private: `audit` against the device, and without one.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/program/support/support.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kLongName = "report for the customer.odt";

class Audit : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    for (const char* program : {"mke2fs", "debugfs"})
      if (!IsSkipped() && !HasFatalFailure()) require_program(program);
    if (IsSkipped() || HasFatalFailure()) return;
    make_tree("private", [](const std::string& name) { return name; });
    make_tree("random", [this](const std::string& name) { return random_name(name.size()); });
    make_file_system("disk.img", "private", {"-L", "mine"});
    make_file_system("other.img", "random", {});
    output_of({E2QCOW_PROGRAM, "dump", "-q", "other.img", "other.qcow2"});
  }

  // As an anonymised dump has them: of at least four of these characters.
  std::string random_name(std::size_t length) {
    static const std::string kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    std::string name;
    while (name.size() < std::max<std::size_t>(4, length))
      name += kCharacters[random_() % kCharacters.size()];
    return name;
  }

  template <typename Rename>
  void make_tree(const std::string& tree, Rename rename) const {
    const fs::path top = path(tree);
    fs::create_directory(top);
    for (const char* name : {"data", "root", "a1b2", "etc", "x"}) write_file(top / rename(name), "contents");
    const fs::path sub = top / rename("invoices");
    fs::create_directory(sub);
    write_file(sub / rename(kLongName), "contents");
    write_file(sub / rename("data"), "contents");
    for (int i = 0; i < 200; ++i) write_file(sub / rename(fmt::format("letter-{:03}.txt", i)), "");
    const bool is_private = tree == "private";
    fs::create_symlink(is_private ? "/home/me" : "/xxxx/xx", top / rename("link"));
    const std::string target(100, 'x');
    fs::create_symlink(is_private ? "/srv/customers" + target : "/xxx/xxxxxxxxx" + target,
                       top / rename("link2"));
  }

  void make_file_system(const std::string& name, const std::string& tree, Words options) const {
    for (const Words& more : {Words{"-t", "ext4", "-d", tree}, Words{name, "16M"}})
      options.insert(options.end(), more.begin(), more.end());
    options.insert(options.begin(), {"mke2fs", "-q", "-F", "-U", "01234567-89ab-cdef-0123-456789abcdef"});
    output_of(options);
  }

  struct Block {
    std::uint64_t number;
    std::uint64_t size;
  };
  Block first_block_of_root(const std::string& disk) const {
    const std::string header = output_of({"dumpe2fs", "-h", disk});
    return {std::stoull(output_of({"debugfs", "-R", "bmap / 0", disk})),
            std::stoull(header.substr(header.find("Block size:") + 11))};
  }
  // A guest offset in that block of other.img that no entry uses.
  std::uint64_t unused_offset() const {
    const auto [block, size] = first_block_of_root("other.img");
    return block * size + size - 300;
  }
  // A dump of other.img with this in it.
  void dump_with(std::uint64_t offset, const std::string& bytes, const Words& options = {}) const {
    copy_disk(path("other.img"), path("planted.img"));
    patch_file(path("planted.img"), offset, bytes);
    Words words{E2QCOW_PROGRAM, "dump", "-q", "planted.img", "planted.qcow2"};
    words.insert(words.end(), options.begin(), options.end());
    output_of(words);
  }
  json audit(const std::string& image, int status, const Words& more = {"disk.img"}) const {
    Words words{"audit", "--json", image};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = e2qcow(words);
    EXPECT_EQ(outcome.status, status) << outcome;
    return json::parse(outcome.out, nullptr, false);
  }
  // One finding of an audit against disk.img.
  void expect_one(const std::string& image, std::uint64_t offset, const std::string& compared,
                  const std::string& form = "text") const {
    const json result = audit(image, 1);
    ASSERT_EQ(result["findings"].size(), 1U) << result.dump(1);
    const json& finding = result["findings"][0];
    EXPECT_EQ(finding["area"], "disk");
    EXPECT_EQ(finding["offset"], offset);
    EXPECT_EQ(finding["class"], "directories");
    EXPECT_EQ(finding["compared"], compared);
    EXPECT_EQ(finding["form"], form);
  }

  static std::string wide(const std::string& text) {
    std::string result;
    for (const char c : text) (result += c) += '\0';
    return result;
  }

 private:
  std::mt19937 random_{1};
};

TEST_F(Audit, FindsEveryNameInAPlainDump) {
  for (const char* how : {"zstd", "none"}) {
    output_of({E2QCOW_PROGRAM, "dump", "-q", std::string("--compress=") + how, "disk.img", "image.qcow2"});
    const json result = audit("image.qcow2", 1);
    EXPECT_FALSE(result["clean"]);
    EXPECT_GT(result["found"], 210);
    const auto& findings = result["findings"];
    const auto has = [&](const std::string& kind, const std::string& block_class) {
      return std::ranges::any_of(findings, [&](const json& finding) {
        return finding["kind"] == kind && finding.value("class", "") == block_class;
      });
    };
    EXPECT_TRUE(has("name", "directories"));
    EXPECT_TRUE(has("link-target", "inode tables"));
    EXPECT_TRUE(has("link-target", "symlinks"));
    EXPECT_TRUE(has("label", "superblocks"));
    const auto name =
        std::ranges::find_if(findings, [](const json& finding) { return finding.value("owner", 0) == 2; });
    ASSERT_NE(name, findings.end());
    const std::string words = (*name)["what"];
    EXPECT_TRUE(words.starts_with("name of inode ") && words.ends_with(" in directory 2")) << words;
    EXPECT_EQ((*name)["offset"], (*name)["device-offset"]);
  }
}

TEST_F(Audit, FindsNothingInAFileSystemOfOtherNames) {
  const json result = audit("other.qcow2", 0);
  EXPECT_TRUE(result["clean"]);
  EXPECT_EQ(result["found"], 0);
  EXPECT_EQ(result["strings"]["not-judged"], 0);
  EXPECT_GT(result["strings"]["everywhere"], 200);
  EXPECT_GT(result["strings"]["in-place"], 4);
  const Outcome outcome = e2qcow({"audit", "other.qcow2", "disk.img"});
  EXPECT_NE(outcome.out.find("and none of the private\nstrings was found."), std::string::npos) << outcome;
}

TEST_F(Audit, ADumpStandsForTheDevice) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "disk.img", "image.qcow2"});
  EXPECT_EQ(audit("other.qcow2", 0, {"image.qcow2"})["strings"]["total"],
            audit("other.qcow2", 0)["strings"]["total"]);
  EXPECT_GT(audit("image.qcow2", 1, {"image.qcow2"})["found"], 210);
}

TEST_F(Audit, FindsOneNameInUnusedBytes) {
  dump_with(unused_offset(), kLongName);
  expect_one("planted.qcow2", unused_offset(), "everywhere");
  const Outcome outcome = e2qcow({"audit", "planted.qcow2", "disk.img"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find(
                fmt::format("offset {} of the image's disk (directories): name of inode", unused_offset())),
            std::string::npos)
      << outcome;
  dump_with(unused_offset(), kLongName, {"--compress=none"});
  expect_one("planted.qcow2", unused_offset(), "everywhere");
}

TEST_F(Audit, FindsTheOtherCaseAndUtf16) {
  dump_with(unused_offset(), "REPORT for the CUSTOMER.odt");
  expect_one("planted.qcow2", unused_offset(), "everywhere");
  dump_with(unused_offset(), wide(kLongName));
  expect_one("planted.qcow2", unused_offset(), "everywhere", "utf-16");
  dump_with(unused_offset() + 1, wide("Report For The Customer.ODT"));
  expect_one("planted.qcow2", unused_offset() + 1, "everywhere", "utf-16");
}

TEST_F(Audit, FindsAShortNameInItsDirectoryOnly) {
  dump_with(unused_offset(), "a1b2");
  expect_one("planted.qcow2", unused_offset(), "in-place");
  dump_with(unused_offset(), "etc");
  expect_one("planted.qcow2", unused_offset(), "in-place");
  dump_with(unused_offset(), "var");
  const json result = audit("planted.qcow2", 1);  // nothing should be left there, whatever it is
  EXPECT_EQ(result["found"], 0);
  EXPECT_EQ(result["left"], 1);
}

TEST_F(Audit, FindsAShortNameInAnEntry) {
  copy_disk(path("other.img"), path("planted.img"));
  output_of({"debugfs", "-w", "-R", "ln <2> root", "planted.img"});
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--force", "planted.img", "planted.qcow2"});
  const json result = audit("planted.qcow2", 1);
  ASSERT_EQ(result["findings"].size(), 1U) << result.dump(1);
  EXPECT_EQ(result["findings"][0]["compared"], "in-place");
  EXPECT_EQ(result["findings"][0]["kind"], "name");
}

TEST_F(Audit, SearchesTheFreeSpaceOfTheImageFileAndTheReport) {
  copy_disk(path("other.qcow2"), path("planted.qcow2"));
  const std::uint64_t end = fs::file_size(path("planted.qcow2"));
  std::ofstream(path("planted.qcow2"), std::ios::app | std::ios::binary)
      << kLongName << std::string(100'000, '\0');
  json finding = audit("planted.qcow2", 1)["findings"][0];
  EXPECT_EQ(finding["area"], "image-file");
  EXPECT_EQ(finding["offset"], end);

  write_file(path("report"), std::string("{\"path\": \"/") + kLongName + "\"}");
  finding = audit("other.qcow2", 1, {"disk.img", "--report", "report"})["findings"][0];
  EXPECT_EQ(finding["area"], "report");
  EXPECT_EQ(finding["offset"], 11);
  write_file(path("report"), R"({"path": "/report for the cust\u006fmer.odt"})");
  EXPECT_EQ(audit("other.qcow2", 1, {"disk.img", "--report", "report"})["found"], 1);
  write_file(path("report"), R"({"paths": ["/report for the\\x20customer.odt"]})");
  EXPECT_EQ(audit("other.qcow2", 1, {"disk.img", "--report", "report"})["found"], 1);
  write_file(path("report"), "{\"path\": \"/xk3J_0aq/pWm2\"}");
  audit("other.qcow2", 0, {"disk.img", "--report", "report"});
}

// A version of the first block of a directory that only the journal has; replayed or not, it is collected.
TEST_F(Audit, CollectsWhatOnlyTheJournalHas) {
  const auto [block, size] = first_block_of_root("disk.img");
  const std::string original = read_bytes(path("disk.img"), block * size, size);
  std::string version = original;
  const auto slot = version.find("invoices");
  ASSERT_NE(slot, std::string::npos);
  version.replace(slot, 8, "vanished");
  write_file(path("version"), version);
  write_file(path("script"), fmt::format("jo\njw -b {} version\njc\n", block));
  output_of({"debugfs", "-w", "-f", "script", "disk.img"});

  audit("other.qcow2", 0);
  dump_with(unused_offset(), "the VANISHED ones");
  const json result = audit("planted.qcow2", 1);
  ASSERT_EQ(result["findings"].size(), 1U) << result.dump(1);
  EXPECT_EQ(result["findings"][0]["owner"], 2);
  EXPECT_EQ(result["findings"][0]["kind"], "name");
  EXPECT_NE(result["findings"][0]["device-offset"].get<std::uint64_t>() / size, block);

  run({"e2fsck", "-fy", "disk.img"});  // replays it
  patch_file(path("disk.img"), block * size, original);
  EXPECT_EQ(audit("planted.qcow2", 1)["found"], 1);
}

TEST_F(Audit, WithoutADeviceSaysWhatIsLeft) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "disk.img", "image.qcow2"});
  const json result = audit("image.qcow2", 1, {});
  EXPECT_FALSE(result.contains("strings"));
  EXPECT_GT(result["remaining"]["name"]["undecided"], 200);
  EXPECT_EQ(result["remaining"]["name"]["left"], 0);
  EXPECT_GT(result["remaining"]["label"]["left"], 0);
  EXPECT_EQ(result["remaining"]["link-target"]["left"], 2);

  fs::create_directory(path("empty"));
  make_file_system("empty.img", "empty", {});
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--anonymize", "empty.img", "empty.qcow2"});
  EXPECT_TRUE(audit("empty.qcow2", 0, {})["clean"]);
  output_of({E2QCOW_PROGRAM, "dump", "-q", "empty.img", "empty.qcow2"});
  EXPECT_FALSE(audit("empty.qcow2", 3, {})["clean"]);  // nobody knows
}

TEST_F(Audit, DoesNotDependOnTheNumberOfThreads) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "disk.img", "image.qcow2"});
  EXPECT_EQ(audit("image.qcow2", 1, {"disk.img", "--threads", "1"}),
            audit("image.qcow2", 1, {"disk.img", "--threads", "4"}));
}

TEST_F(Audit, FindsContentsOfFiles) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--all", "other.img", "all.qcow2"});
  const json result = audit("all.qcow2", 1);
  EXPECT_EQ(result["found"], 0);
  EXPECT_EQ(result["remaining"]["other-contents"]["left"], 5 + 2);  // of make_tree()
}

// A cluster that only a snapshot has is not searched.
// For who signs it: which file it was, and which key.
TEST_F(Audit, SaysWhatWasAudited) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--anonymize", "disk.img", "image.qcow2"});
  const std::string hash = output_of({"sha256sum", "image.qcow2"}).substr(0, 64);
  const std::string text = output_of({E2QCOW_PROGRAM, "audit", "image.qcow2", "disk.img"});
  EXPECT_NE(text.find(", SHA-256 " + hash), std::string::npos) << text;
  const json result = audit("image.qcow2", 0);
  EXPECT_EQ(result["image-sha256"], hash);
  EXPECT_EQ(result["image-size"], std::filesystem::file_size(path("image.qcow2")));
  EXPECT_EQ(result["uuid"],
            output_of({"blkid", "-p", "-o", "value", "-s", "UUID", "disk.img"}).substr(0, 36));
  const json info = json::parse(output_of({E2QCOW_PROGRAM, "info", "--json", "image.qcow2"}));
  EXPECT_EQ(result["anonymized-with"], info["dump"]["anonymized-with"]);
}

TEST_F(Audit, OfAnImageWithSnapshotsProvesNothing) {
  output_of({"qemu-img", "snapshot", "-c", "one", "other.qcow2"});
  EXPECT_EQ(audit("other.qcow2", 3)["clean"], false);
}

// It would find nothing there, whatever the image has.
TEST_F(Audit, NeedsTheDeviceThatWasDumped) {
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--anonymize", "disk.img", "image.qcow2"});
  expect_failure(e2qcow({"audit", "image.qcow2", "image.qcow2"}), {"image.qcow2: is an anonymised dump"}, 2);
  output_of({"mke2fs", "-q", "-F", "another.img", "16M"});
  expect_failure(e2qcow({"audit", "image.qcow2", "another.img"}),
                 {"image.qcow2: is not a dump of another.img"}, 2);
  output_of({E2QCOW_PROGRAM, "dump", "-q", "--anonymize=strict", "disk.img", "image.qcow2"});
  audit("image.qcow2", 0);
}

TEST_F(Audit, AnErrorHasAStatusOfItsOwn) {
  write_file(path("text"), std::string(100'000, 'a'));
  expect_failure(e2qcow({"audit", "no-such-file", "disk.img"}), {"no-such-file"}, 2);
  expect_failure(e2qcow({"audit", "text", "disk.img"}), {"text", "not a qcow2 image"}, 2);
  expect_failure(e2qcow({"audit", "other.qcow2", "text"}), {"text", "no ext2/3/4 file system"}, 2);
  expect_failure(e2qcow({"audit", "-", "disk.img"}), {"IMAGE"}, 2);
}

}  // namespace
}  // namespace e2qcow::test
