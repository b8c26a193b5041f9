// SPDX-License-Identifier: GPL-2.0-or-later
// External data files in a chain, as QEMU makes them: which image gets which, and what is refused.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class DataFiles : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const char* program : {"qemu-img", "qemu-io"}) {
      require_program(program);
      if (IsSkipped() || HasFatalFailure()) return;
    }
    make_file_system({{"-t", "ext4", "-b", "1024"}});
  }

  // The disk in "base" with its data in "data", and an overlay with data at 31M.
  void make_chain(const std::string& base_options, const Words& overlay_options) const {
    for (const char* name : {"base", "data", "overlay", "top-data"}) fs::remove(path(name));
    output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-o", base_options, "base", "32M"});
    output_of({"qemu-img", "convert", "-n", "-f", "raw", "-O", "qcow2", "disk.img", "base"});
    Words create{"qemu-img", "create", "-q", "-f", "qcow2", "-b", "base", "-F", "qcow2"};
    create.insert(create.end(), overlay_options.begin(), overlay_options.end());
    create.emplace_back("overlay");
    output_of(create);
    output_of({"qemu-io", "-c", "write -P 0x5a 31M 64k", "overlay"});
    output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "overlay", "theirs"});
  }

  // The data in a map, as text: "start length offset file" each.
  std::string data_in_our_map(const Words& options) const {
    Words words{E2QCOW_PROGRAM, "map"};
    words.insert(words.end(), options.begin(), options.end());
    std::istringstream lines(output_of(words));
    std::string found;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      std::string start;
      std::string length;
      std::string kind;
      std::string at;
      std::string file;
      if (fields >> start >> length >> kind >> at >> file && kind == "data")
        found += fmt::format("{} {} {} {}\n", start, length, at, file);
    }
    return found;
  }
  std::string data_in_their_map(const std::string& image) const {
    std::istringstream lines(output_of({"qemu-img", "map", "-f", "qcow2", image}));
    std::string found;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      std::uint64_t start = 0;
      std::uint64_t length = 0;
      std::uint64_t at = 0;
      std::string file;
      if (fields >> std::hex >> start >> length >> at >> file)
        found += fmt::format("{} {} {} {}\n", start, length, at, file);
    }
    return found;
  }
};

TEST_F(DataFiles, BelongToTheImageInTheChainThatHasOne) {
  for (const char* raw : {"off", "on"}) {
    make_chain(std::string("data_file=data,data_file_raw=") + raw, {});
    const Outcome restored =
        e2qcow({"restore", "-q", "--backing=base", "--data-file=data", "overlay", "ours"});
    EXPECT_EQ(restored, (Outcome{0, "", ""})) << raw;
    expect_same_bytes("ours", "theirs");
    const std::string map = data_in_our_map({"--backing=base", "--data-file=data", "overlay"});
    EXPECT_EQ(map, data_in_their_map("overlay"));
    EXPECT_NE(map.find(" data\n"), std::string::npos);
    EXPECT_EQ(e2qcow({"compare", "-q", "--backing-a=base", "--data-file=data", "overlay", "theirs"}).status,
              0);
    EXPECT_EQ(
        run({E2QCOW_PROGRAM, "exec", "--backing=base", "--data-file=data", "--", "e2fsck", "-fn", "overlay"})
            .status,
        0);
  }
}

TEST_F(DataFiles, AreTakenFromTheTopDownIfSeveralImagesHaveOne) {
  make_chain("data_file=data", {"-o", "data_file=top-data"});
  EXPECT_EQ(e2qcow({"restore", "-q", "--backing=base", "--data-file=top-data", "--data-file=data", "overlay",
                    "ours"}),
            (Outcome{0, "", ""}));
  expect_same_bytes("ours", "theirs");
  EXPECT_EQ(data_in_our_map({"--backing=base", "--data-file=top-data", "--data-file=data", "overlay"}),
            data_in_their_map("overlay"));
  expect_failure(e2qcow({"restore", "--backing=base", "--data-file=top-data", "overlay", "out"}),
                 {"base: needs its external data file", "--data-file FILE"});
}

TEST_F(DataFiles, OfCompareAreFirstThoseOfA) {
  make_chain("data_file=data", {"-o", "data_file=top-data"});
  EXPECT_EQ(e2qcow({"compare", "-q", "--data-file=data", "base", "disk.img"}).status, 0);
  EXPECT_EQ(e2qcow({"compare", "-q", "--data-file=data", "disk.img", "base"}).status, 0);
  EXPECT_EQ(e2qcow({"compare", "-q", "--backing-a=base", "--data-file=top-data", "--data-file=data",
                    "--data-file=data", "overlay", "base"})
                .status,
            1);
  expect_failure(
      e2qcow({"compare", "--backing-a=base", "--data-file=top-data", "--data-file=data", "overlay", "base"}),
      {"base: needs its external data file", "--data-file FILE"}, 2);
}

// With data_file_raw it is the disk.
TEST_F(DataFiles, CanBeComparedWithTheirImage) {
  make_chain("data_file=data,data_file_raw=on", {});
  EXPECT_EQ(e2qcow({"compare", "-q", "--data-file=data", "base", "data"}), (Outcome{0, "", ""}));
  expect_failure(e2qcow({"compare", "--data-file=base", "base", "data"}), {"base: is the image itself"}, 2);
}

TEST_F(DataFiles, NamedInVainAreRefused) {
  make_chain("data_file=data", {});
  output_of({"qemu-img", "convert", "-f", "raw", "-O", "qcow2", "disk.img", "plain"});
  write_file(path("more"), "");
  for (const Words& command :
       {Words{"restore", "plain", "out"}, Words{"map", "plain"}, Words{"info", "plain"},
        Words{"check", "plain"}, Words{"compare", "plain", "disk.img"}}) {
    Words words = command;
    words.emplace_back("--data-file=more");
    expect_failure(e2qcow(words), {"more: is one data file too many; no image has an external one"},
                   command[0] == "compare" ? 2 : 1);
  }
  for (const Words& command :
       {Words{"restore", "--backing=base", "overlay", "out"}, Words{"map", "--backing=base", "overlay"},
        Words{"info", "base"}, Words{"check", "base"}, Words{"compare", "base", "disk.img"}}) {
    Words words = command;
    words.insert(words.end(), {"--data-file=data", "--data-file=more"});
    expect_failure(e2qcow(words), {"more: is one data file too many; no other image has an external one"},
                   command[0] == "compare" ? 2 : 1);
  }
  const Outcome outcome = run({E2QCOW_PROGRAM, "exec", "--data-file=more", "--", "dumpe2fs", "-h", "plain"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("more: is one data file too many"), std::string::npos) << outcome;
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(DataFiles, MissingOnesAreNamedByTheirImage) {
  make_chain("data_file=data", {});
  for (const Words& command :
       {Words{"restore", "--backing=base", "overlay", "out"}, Words{"map", "--backing=base", "overlay"}})
    expect_failure(e2qcow(command), {"base: needs its external data file", "--data-file FILE"});
  const Outcome outcome = run({E2QCOW_PROGRAM, "exec", "--backing=base", "--", "dumpe2fs", "-h", "overlay"});
  EXPECT_NE(outcome.err.find("base: needs its external data file; name it with --data-file FILE"),
            std::string::npos)
      << outcome;
}

TEST_F(DataFiles, AreNotOpenedByInfoUnlessNamed) {
  make_chain("data_file=data", {});
  EXPECT_NE(output_of({E2QCOW_PROGRAM, "info", "base"}).find("data file:     data (not opened)\n"),
            std::string::npos);
  fs::rename(path("data"), path("moved"));
  EXPECT_NE(output_of({E2QCOW_PROGRAM, "info", "--data-file=moved", "base"})
                .find("data file:     data (read from moved)\n"),
            std::string::npos);
}

}  // namespace
}  // namespace e2qcow::test
