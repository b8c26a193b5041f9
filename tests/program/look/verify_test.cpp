// SPDX-License-Identifier: GPL-2.0-or-later
// Images that other programs have changed, judged by qemu-img.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

constexpr int kWhole = 0;
constexpr int kDiffers = 2;
constexpr int kNotKnown = 4;

class Verify : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    require_program("qemu-img");
    make_file_system({.mke2fs = {"-t", "ext4", "-b", "1024"}, .size = "8M"});
  }
  void dump(const std::string& image, const Words& options = {}) const {
    Words words{"dump", "-q", "disk.img", image};
    words.insert(words.end(), options.begin(), options.end());
    ASSERT_EQ(e2qcow(words), Outcome{});
  }
  void shell(const std::string& command) const { output_of({"sh", "-c", command}); }
  Outcome verify(const std::string& image) const { return e2qcow({"verify", image}); }
  // The host offset of plain data at a guest offset.
  std::uint64_t host_offset(const std::string& image, std::uint64_t guest_offset) const {
    for (const auto& range : nlohmann::json::parse(output_of({"qemu-img", "map", "--output=json", image}))) {
      const std::uint64_t start = range["start"];
      if (start <= guest_offset && guest_offset < start + range["length"].get<std::uint64_t>() &&
          range.contains("offset"))
        return range["offset"].get<std::uint64_t>() + (guest_offset - start);
    }
    ADD_FAILURE() << "nothing is stored at " << guest_offset;
    return 0;
  }
  void change_cluster(const std::string& image, std::uint64_t guest_offset) const {
    const std::uint64_t offset = host_offset(image, guest_offset);
    const std::string byte = read_bytes(path(image), offset, 1);
    patch_file(path(image), offset, std::string(1, static_cast<char>(byte[0] ^ 1)));
  }
};

TEST_F(Verify, SaysThatImagesOfAllKindsAreWhole) {
  for (const Words& options :
       {Words{}, Words{"--all"}, Words{"--compress", "zlib", "--cluster-size", "512"},
        Words{"--compress", "none"}, Words{"--compress", "none", "--all", "--cluster-size", "64k"},
        Words{"--digest", "sha256"}, Words{"--cluster-size", "2M"}}) {
    dump("image", options);
    const Outcome outcome = verify("image");
    EXPECT_EQ(outcome.status, kWhole) << outcome;
    EXPECT_TRUE(outcome.out.starts_with("image: whole: ")) << outcome;
    expect_qemu_finds_nothing("image");
  }
}

TEST_F(Verify, KnowsNothingOfImagesWithoutDigests) {
  dump("none", {"--digest", "none"});
  dump("old", {"--compat", "0.10"});
  shell("qemu-img convert -O qcow2 disk.img foreign");
  for (const char* image : {"none", "old", "foreign"}) {
    const Outcome outcome = verify(image);
    EXPECT_EQ(outcome.status, kNotKnown) << outcome;
    EXPECT_EQ(outcome.out, fmt::format("{}: not known: it holds no digests\n", image));
  }
  expect_failure(verify("disk.img"), {"disk.img", "not a qcow2 image"});
  expect_failure(verify("missing"), {"missing"});
}

TEST_F(Verify, LooksAtAllImagesAndReturnsTheWorstStatus) {
  dump("a");
  dump("b", {"--compress", "none", "--cluster-size", "1k"});
  dump("none", {"--digest", "none"});
  change_cluster("b", 1024);
  EXPECT_EQ(e2qcow({"verify", "a", "a"}).status, kWhole);
  EXPECT_EQ(e2qcow({"verify", "a", "none"}).status, kNotKnown);
  EXPECT_EQ(e2qcow({"verify", "none", "missing", "a"}).status, 1);
  const Outcome outcome = e2qcow({"verify", "missing", "b", "none", "a"});
  EXPECT_EQ(outcome.status, kDiffers);
  EXPECT_NE(outcome.out.find("a: whole"), std::string::npos) << outcome;
  EXPECT_NE(outcome.err.find("missing"), std::string::npos) << outcome;
}

TEST_F(Verify, NamesRangesClassesAndFiles) {
  dump("image", {"--compress", "none", "--all", "--cluster-size", "1k"});
  const std::uint64_t offset = first_block_of("/") * 1024;
  change_cluster("image", offset);
  const Outcome outcome = verify("image");
  EXPECT_EQ(outcome.status, kDiffers) << outcome;
  EXPECT_NE(outcome.out.find("damaged, or was committed into by qemu-img"), std::string::npos) << outcome;
  EXPECT_NE(outcome.out.find(fmt::format("1024 bytes at {} are not", offset)), std::string::npos) << outcome;
  EXPECT_NE(outcome.out.find("directories: 1 clusters\n"), std::string::npos) << outcome;
  EXPECT_NE(outcome.out.find("/ (inode 2)\n"), std::string::npos) << outcome;
  const Outcome json = e2qcow({"verify", "--json", "image"});
  const auto result = nlohmann::json::parse(json.out).at("images").at(0);
  EXPECT_EQ(result["verdict"], "differs");
  EXPECT_EQ(result["different-bytes"], 1024);
  EXPECT_EQ(result["differences"][0]["start"], offset);
  EXPECT_EQ(result["classes"]["directories"], 1);
  EXPECT_EQ(result["files"][0]["path"], "/");
}

TEST_F(Verify, SeesThatAFileEndsEarly) {
  dump("image", {"--compress", "none"});
  const auto size = std::filesystem::file_size(path("image"));
  for (const std::uintmax_t less : {1, 600, 5000}) {
    copy_disk(path("image"), path("cut"));
    std::filesystem::resize_file(path("cut"), size - less);
    EXPECT_NE(verify("cut").status, kWhole) << less;
  }
}

TEST_F(Verify, ReadingCommandsRefuseAChangedClusterUnlessTold) {
  dump("image", {"--compress", "none", "--all", "--cluster-size", "1k"});
  copy_disk(path("image"), path("intact"));
  const std::uint64_t offset = first_block_of("/") * 1024;
  change_cluster("image", offset);
  const std::string where = fmt::format("guest offset {} is not what was written", offset);
  expect_failure(e2qcow({"restore", "-q", "image", "new"}), {"image", where, "--no-verify"});
  EXPECT_FALSE(std::filesystem::exists(path("new")));
  expect_failure(e2qcow({"compare", "image", "intact"}), {"image", where, "--no-verify"}, 2);
  EXPECT_EQ(e2qcow({"restore", "-q", "--no-verify", "image", "new"}), Outcome{});
  shell("qemu-img convert -O raw image by_qemu");
  expect_same_bytes("new", "by_qemu");
  EXPECT_EQ(e2qcow({"compare", "-q", "--no-verify", "image", "intact"}).status, 1);
  const Words listing{"--", "debugfs", "-R", "ls /", "image"};
  Words words{"exec"};
  words.insert(words.end(), listing.begin(), listing.end());
  const Outcome refused = e2qcow(words);
  EXPECT_NE(refused.err.find(where), std::string::npos) << refused;
  words.insert(words.begin() + 1, "--no-verify");
  EXPECT_EQ(e2qcow(words).err.find("not what was written"), std::string::npos);
}

TEST_F(Verify, AStreamIsCheckedBeforeItIsTheResult) {
  for (const char* options :
       {"--compress none --cluster-size 1k", "--compress none --all", "--compress zstd"}) {
    shell(fmt::format("'{}' dump -q {} disk.img - > image", E2QCOW_PROGRAM, options));
    EXPECT_EQ(verify("image").status, kWhole);
    shell(fmt::format("'{}' restore -q - new < image", E2QCOW_PROGRAM));
    shell(fmt::format("cat image | '{}' restore -q - piped", E2QCOW_PROGRAM));
    expect_same_bytes("new", "piped");
    shell("qemu-img convert -O raw image by_qemu");
    expect_same_bytes("new", "by_qemu");
  }
  dump("image", {"--compress", "none", "--cluster-size", "1k"});
  change_cluster("image", 1024);
  const Outcome outcome = run({"sh", "-c", fmt::format("cat image | '{}' restore -q - bad", E2QCOW_PROGRAM)});
  expect_failure(outcome, {"standard input", "not what was written", "--no-verify"});
  EXPECT_FALSE(std::filesystem::exists(path("bad")));
  shell(fmt::format("cat image | '{}' restore -q --no-verify - bad", E2QCOW_PROGRAM));
}

TEST_F(Verify, IsTheSameForAnyNumberOfThreads) {
  for (const Words& options : {Words{"--all"}, Words{"--compress", "none", "--all"}}) {
    dump("image", options);
    for (const char* threads : {"1", "7"}) {
      Words more = options;
      more.insert(more.end(), {"--threads", threads});
      dump("other", more);
      expect_same_bytes("image", "other");
    }
  }
}

TEST_F(Verify, OfAChainLooksAtEachImage) {
  dump("old", {"--compress", "none"});
  shell("qemu-img create -q -f qcow2 -b old -F qcow2 top");
  Outcome outcome = e2qcow({"verify", "--backing", "old:qcow2", "top"});
  EXPECT_EQ(outcome.status, kNotKnown) << outcome;
  EXPECT_NE(outcome.out.find("old: whole"), std::string::npos) << outcome;
  change_cluster("old", 1024);
  outcome = e2qcow({"verify", "--backing", "old:qcow2", "top"});
  EXPECT_EQ(outcome.status, kDiffers) << outcome;
  EXPECT_NE(outcome.out.find("superblocks: 1 clusters"), std::string::npos) << outcome;
}

// Every command of QEMU that writes to an image. `commit` leaves our mark where it is.
class VerifyAfterQemu : public Verify, public testing::WithParamInterface<const char*> {
 protected:
  // In a copy of the image, of which QEMU's disk is then compared with that before.
  void expect_never_wrongly_whole(const Words& dump_options, const std::string& command) const {
    dump("image", dump_options);
    shell("qemu-img convert -O raw image before.raw");
    const Outcome qemu = run({"sh", "-c", "exec 2>&1; " + command});
    ASSERT_EQ(qemu.status, 0) << command << qemu;
    const Outcome same = run({"qemu-img", "compare", "-F", "qcow2", "-f", "raw", "before.raw", "image"});
    const Outcome outcome = verify("image");
    EXPECT_TRUE(outcome.status == kWhole || outcome.status == kDiffers || outcome.status == kNotKnown)
        << outcome;
    if (same.status != 0) {
      EXPECT_NE(outcome.status, kWhole) << command << outcome << same;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(
    , VerifyAfterQemu,
    testing::Values("qemu-img check -q -r all image", "qemu-img resize -q image 9M",
                    "qemu-img resize -q --shrink image 4M", "qemu-img snapshot -c s image",
                    "qemu-img amend -o compat=0.10 image || true",  // not with zstd
                    "qemu-img amend -o lazy_refcounts=on image", "qemu-img rebase -u -b '' image",
                    "qemu-img bitmap --add image b", "qemu-img convert -n -O qcow2 before.raw image",
                    "qemu-io -c 'read 0 512' image", "qemu-io -c 'write -P 7 0 512' image",
                    "qemu-io -c 'write -P 7 0 8M' image", "qemu-io -c 'write -z 1k 1k' image",
                    "qemu-io -c 'discard 0 1M' image", "qemu-io -c 'write -c -P 7 6M 64k' image",
                    "qemu-img create -q -f qcow2 -b image -F qcow2 o && qemu-io -c 'write -P 9 1k 1k' o && "
                    "qemu-img commit -q o",
                    "qemu-img create -q -f qcow2 -b image -F qcow2 o && qemu-io -c 'write -P 9 0 8M' o && "
                    "qemu-img commit -q o",
                    "qemu-img create -q -f qcow2 -b image -F qcow2 o && qemu-io -c 'write -P 9 0 8M' o && "
                    "qemu-img commit -q -d o",
                    "qemu-img create -q -f qcow2 -b image -F qcow2 o && qemu-io -c 'write -z 0 8M' o && "
                    "qemu-img commit -q o",
                    "qemu-img create -q -f qcow2 -b image -F qcow2 o 9M && qemu-img commit -q o"));

TEST_P(VerifyAfterQemu, NeverSaysWholeOfAnotherDisk) {
  require_program("qemu-io");
  for (const Words& options : {Words{}, Words{"--compress", "none"}, Words{"--all", "--compress", "none"},
                               Words{"--cluster-size", "4k"}})
    expect_never_wrongly_whole(options, GetParam());
}

TEST_F(Verify, SaysWhatACommitDid) {
  require_program("qemu-io");
  const std::string commit =
      "qemu-img create -q -f qcow2 -o cluster_size=1k -b image -F qcow2 o && qemu-io -c 'write -P 9 1k 1k' o "
      ">&2 && "
      "qemu-img commit -q o";
  dump("image");
  shell(commit);
  Outcome outcome = verify("image");
  EXPECT_EQ(outcome.status, kNotKnown) << outcome;
  EXPECT_NE(outcome.out.find("its digests were overwritten or cut off, as qemu-img commit does"),
            std::string::npos)
      << outcome;
  const Outcome restored = e2qcow({"restore", "-q", "image", "new"});  // of which nothing can be said
  EXPECT_EQ(restored.status, 3);
  EXPECT_NE(restored.err.find("its data is not checked"), std::string::npos) << restored;
  dump("image", {"--compress", "none", "--cluster-size", "1k"});
  shell(commit);
  outcome = verify("image");
  EXPECT_NE(outcome.status, kWhole) << outcome;
  EXPECT_NE(outcome.out.find("1024 bytes at 1024 are not what was written"), std::string::npos) << outcome;
}

// Plain clusters are overwritten in place, and nothing else of the file is changed.
TEST_F(Verify, SeesACommitIntoPlainClusters) {
  require_program("qemu-io");
  dump("image", {"--compress", "none", "--cluster-size", "64k"});
  shell(
      "qemu-img create -q -f qcow2 -b image -F qcow2 o && qemu-io -c 'write -P 9 0 64k' o >&2 && "
      "qemu-img commit -q o");
  const Outcome outcome = verify("image");
  EXPECT_EQ(outcome.status, kDiffers) << outcome;
  EXPECT_NE(outcome.out.find("damaged, or was committed into by qemu-img"), std::string::npos) << outcome;
  EXPECT_NE(outcome.out.find("65536 bytes at 0 are not what was written"), std::string::npos) << outcome;
}

TEST_F(Verify, SaysThatAProgramOpenedItAndChangedNothing) {
  require_program("qemu-io");
  dump("image");
  shell("qemu-io -c 'read 0 512' image");
  const Outcome outcome = verify("image");
  EXPECT_EQ(outcome.status, kWhole);
  EXPECT_NE(outcome.out.find("another program has opened it for writing since"), std::string::npos)
      << outcome;
}

}  // namespace
}  // namespace e2qcow::test
