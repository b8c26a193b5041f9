// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/program/support/plugin.h"

#include <algorithm>
#include <sstream>

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

// One second for all, so that what is written is the same.
const Words kOneTime{"E2FSPROGS_FAKE_TIME=1700000000", "E2FSCK_TIME=1700000000"};

Words with_files(Words words, const std::string& raw, const std::string& image) {
  for (std::string& word : words) {
    if (word == "{raw}") word = raw;
    if (word == "{image}") word = image;
  }
  return words;
}

// What programs that write differently count differently, and the checksum over it.
std::string without_counters(const std::string& text) {
  std::istringstream stream(text);
  std::string rest;
  for (std::string line; std::getline(stream, line);)
    if (!line.starts_with("Lifetime writes:") && !line.starts_with("Checksum:")) rest += line + "\n";
  return rest;
}

}  // namespace

std::string without_our_lines(const std::string& text) {
  std::istringstream stream(text);
  std::string rest;
  for (std::string line; std::getline(stream, line);)
    if (!line.starts_with(kOurLines)) rest += line + "\n";
  return rest;
}

const std::vector<PluginTest::Kind>& PluginTest::kinds() {
  static const std::vector<Kind> kKinds{
      {"zstd", {E2QCOW_PROGRAM, "dump", "-q", "--all", "{raw}", "{image}"}},
      {"zlib, version 2", {E2QCOW_PROGRAM, "dump", "-q", "--all", "--compat=0.10", "{raw}", "{image}"}},
      {"uncompressed", {E2QCOW_PROGRAM, "dump", "-q", "--all", "--compress=none", "{raw}", "{image}"}},
      {"by qemu, zlib, small clusters",
       {"qemu-img", "convert", "-q", "-c", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=4k", "{raw}",
        "{image}"}},
      {"by qemu, subclusters",
       {"qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", "-o", "extended_l2=on", "{raw}", "{image}"}},
  };
  return kKinds;
}

void PluginTest::SetUp() {
  FileSystemTest::SetUp();
  for (const char* judge : {"tune2fs", "resize2fs", "e2freefrag"}) {
    if (IsSkipped() || HasFatalFailure()) return;
    require_program(judge);
  }
}

// The raw disk is what qemu-img reads in the image.
void PluginTest::make_image(const Kind& kind) const {
  for (const char* directory : {"raw", "image"}) fs::create_directories(path(directory));
  output_of(with_files(kind.maker, "disk.img", "image/disk.img"));
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image/disk.img", "original"});
  copy_disk(path("original"), path("raw/disk.img"));
}

Outcome PluginTest::on_raw(const Words& words) const {
  return test::run(words, path("raw"), kOneTime);
}

Outcome PluginTest::on_image(const Words& words, const Words& options, const Words& environment) const {
  Words all{E2QCOW_PROGRAM, "exec"};
  all.insert(all.end(), options.begin(), options.end());
  all.emplace_back("--");
  all.insert(all.end(), words.begin(), words.end());
  Words variables = kOneTime;
  variables.insert(variables.end(), environment.begin(), environment.end());
  return test::run(all, path("image"), variables);
}

void PluginTest::expect_same(const Words& words) const {
  const std::string before = read_file(path("image/disk.img"));
  const Outcome raw = on_raw(words);
  Outcome image = on_image(words);
  image.err = without_our_lines(image.err);
  EXPECT_EQ(first_difference(image, raw), "") << words[0] << ' ' << words[1];
  EXPECT_TRUE(read_file(path("image/disk.img")) == before) << words[0] << " changed the image";
  copy_disk(path("original"), path("raw/disk.img"));
}

void PluginTest::expect_same_changes(const Words& words) const {
  fs::remove(path("image/overlay"));
  const std::string before = read_file(path("image/disk.img"));
  const Outcome raw = on_raw(words);
  const Outcome image = on_image(words, {"--overlay", "overlay"});
  EXPECT_EQ(first_difference(image, raw), "") << words[0] << ' ' << words[1];
  EXPECT_TRUE(read_file(path("image/disk.img")) == before) << words[0] << " changed the image";
  expect_same_disk(words);
  copy_disk(path("original"), path("raw/disk.img"));
}

void PluginTest::expect_same_disk(const Words& words) const {
  expect_qemu_finds_nothing("image/overlay");
  EXPECT_EQ(e2qcow({"check", "image/overlay"}).status, 0);
  fs::create_directories(path("result"));
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image/overlay", "result/disk.img"});
  for (const Words& judge : {Words{"e2fsck", "-fn", "disk.img"}, Words{"dumpe2fs", "disk.img"}}) {
    Outcome ours = test::run(judge, path("result"), kOneTime);
    Outcome theirs = on_raw(judge);
    ours.out = without_counters(ours.out);
    theirs.out = without_counters(theirs.out);
    EXPECT_EQ(first_difference(ours, theirs), "") << judge[0] << " after " << words[0] << ' ' << words[1];
  }
}

}  // namespace e2qcow::test
