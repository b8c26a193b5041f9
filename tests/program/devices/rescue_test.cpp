// SPDX-License-Identifier: GPL-2.0-or-later
// A disk that dies: map files of GNU ddrescue, what is read first, and the files that are hit.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t kRescueBlock = 1024;

class Rescue : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_file_system({{"-t", "ext4", "-b", "1024"}});
  }

  // Everything but this range is finished.
  void write_map(std::uint64_t offset, std::uint64_t length, char status) const {
    const std::uint64_t size = fs::file_size(path("disk.img"));
    std::ofstream map(path("disk.map"));
    map << "0 ? 1\n0 " << offset << " +\n"
        << offset << " " << length << " " << status << "\n"
        << offset + length << " " << size - offset - length << " +\n";
  }
  Json report() const { return Json::parse(read_file(path("report.json"))); }
  void zero(std::uint64_t offset, std::uint64_t length) const {
    patch_file(path("disk.img"), offset, std::string(length, '\0'));
  }
};

TEST_F(Rescue, WhatTheMapCallsBadIsNotTouchedAndTheRestOfItsBlockIsKept) {
  const std::uint64_t offset = first_block_of("/large") * kRescueBlock + 512;
  write_map(offset, 512, '-');
  const Words faults{"FAULTY_FILE=" + path("disk.img").string(),
                     "FAULTY_RANGES=" + std::to_string(offset) + ":512"};
  const Outcome outcome =
      e2qcow({"dump", "--all", "--retries=0", "--bad-blocks", "disk.map", "disk.img", "image.qcow2"},
             faulty(faults));
  EXPECT_EQ(outcome.status, 3) << outcome;
  EXPECT_NE(outcome.err.find("512 bytes at " + std::to_string(offset)), std::string::npos) << outcome;
  zero(offset, 512);
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_blocks_in_use("ours.raw");
}

TEST_F(Rescue, WhatWasNotTriedYetCountsAsUnreadable) {
  for (const char status : {'?', '*', '/', '-'}) {
    write_map(first_block_of("/large") * kRescueBlock, 4096, status);
    const Outcome outcome =
        e2qcow({"dump", "--all", "--bad-blocks=disk.map", "--map-out=out.map", "disk.img", "image.qcow2"});
    EXPECT_EQ(outcome.status, 3) << status << outcome;
    // ddrescue takes bad areas for tried, and does not read them again.
    const std::string line =
        fmt::format("0x{:08X}  0x00001000  {}\n", first_block_of("/large") * kRescueBlock, status);
    EXPECT_NE(read_file(path("out.map")).find(line), std::string::npos) << read_file(path("out.map"));
  }
  write_map(first_block_of("/large") * kRescueBlock, 4096, '+');
  EXPECT_EQ(e2qcow({"dump", "--all", "--bad-blocks", "disk.map", "disk.img", "image.qcow2"}).status, 0);
}

// ddrescue leaves holes where it has read nothing.
TEST_F(Rescue, AHoleOfASparseCopyIsNoGoodZero) {
  const std::uint64_t offset = first_block_of("/large") * kRescueBlock;
  write_map(offset, 4096, '?');
  copy_disk(path("disk.img"), path("sparse.img"));
  output_of({"fallocate", "-p", "-o", std::to_string(offset), "-l", "4096", "sparse.img"});
  copy_disk(path("sparse.img"), path("full.img"));
  zero(offset, 4096);
  output_of({"sh", "-c", "cat disk.img >full.img"});
  std::vector<std::string> results;
  for (const std::string disk : {"sparse.img", "full.img"}) {
    const Outcome outcome = e2qcow({"dump", "--all", "--bad-blocks=disk.map", "--map-out=" + disk + ".map",
                                    "--report=" + disk + ".json", disk, disk + ".qcow2"});
    EXPECT_EQ(outcome.status, 3) << outcome;
    Json said = Json::parse(read_file(path(disk + ".json")));
    EXPECT_EQ(said["unreadable"][0]["offset"], offset);
    said.erase("device");
    results.push_back(said.dump() + read_file(path(disk + ".map")) + read_file(path(disk + ".qcow2")));
  }
  EXPECT_TRUE(results[0] == results[1]);
}

// The bytes asked for may be four, and the sector that has them could not be read.
TEST_F(Rescue, ASectorThatWasReadInPartOnlyIsNotFinished) {
  const std::uint64_t journal =
      std::stoull(output_of({"debugfs", "-R", "blocks <8>", "disk.img"})) * kRescueBlock;
  write_map(journal, 512, '-');
  EXPECT_EQ(e2qcow({"dump", "--bad-blocks=disk.map", "--map-out=out.map", "disk.img", "image.qcow2"}).status,
            3);
  EXPECT_NE(read_file(path("out.map")).find(fmt::format("0x{:08X}  0x00000200  -\n", journal)),
            std::string::npos)
      << read_file(path("out.map"));
}

// The table is on the disk, outside of the partition.
TEST_F(Rescue, APartitionIsFoundInWhatDdrescueFetchedOfADisk) {
  require_program("ddrescue");
  require_program("sfdisk");
  if (IsSkipped()) return;
  const std::string sectors = std::to_string(fs::file_size(path("disk.img")) / 512);
  const std::pair<std::string, std::string> tables[] = {
      {"label: gpt\nstart=2048,size=" + sectors, "1"},
      {"label: dos\n2048,2048\n4096,,E\n6144," + sectors + "\n", "5"}};
  for (const auto& [table, number] : tables) {
    const std::uint64_t begin = number == "5" ? 6144 * 512 : 2048 * 512;
    write_file(path("whole.img"), std::string(fs::file_size(path("disk.img")) + (8 << 20), '\0'));
    output_of({"sh", "-c", "printf '" + table + "' | sfdisk -q whole.img"});
    output_of({"dd", "if=disk.img", "of=whole.img", "bs=512", "seek=" + std::to_string(begin / 512),
               "conv=notrunc", "status=none"});
    output_of({E2QCOW_PROGRAM, "measure", "--partition=" + number, "--domain-map=domain.map", "whole.img"});
    for (const char* name : {"copy.img", "copy.map"}) fs::remove(path(name));
    output_of({"ddrescue", "-q", "-m", "domain.map", "whole.img", "copy.img", "copy.map"});
    const Outcome dump =
        e2qcow({"dump", "-q", "--partition=" + number, "--bad-blocks=copy.map", "copy.img", "image.qcow2"});
    EXPECT_EQ(dump, (Outcome{0, "", ""})) << table;
  }
}

// A loss is where it is on the device.
TEST_F(Rescue, OffsetsCountFromTheBeginningOfTheDevice) {
  const std::uint64_t offset = first_block_of("/large") * kRescueBlock;
  write_file(path("whole.img"), std::string(1 << 20, '\0') + read_file(path("disk.img")));
  const Words faults{"FAULTY_FILE=" + path("whole.img").string(),
                     "FAULTY_RANGES=" + std::to_string(offset + (1 << 20)) + ":1024"};
  const Outcome outcome = e2qcow(
      {"dump", "--all", "--retries=0", "--offset=1M", "--report=report.json", "whole.img", "image.qcow2"},
      faulty(faults));
  EXPECT_EQ(outcome.status, 3) << outcome;
  const std::string text =
      fmt::format("1024 bytes at {} ({} in the file system)", offset + (1 << 20), offset);
  EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome;
  const Json loss{{"offset", offset + (1 << 20)}, {"length", 1024}, {"offset-in-file-system", offset}};
  EXPECT_EQ(report()["unreadable"][0], loss);
  EXPECT_EQ(report()["files"][0]["areas"][0], loss);
  EXPECT_EQ(report()["offset"], 1 << 20);
}

TEST_F(Rescue, StrictStopsAtWhatMustNotBeTouched) {
  write_map(first_block_of("/large") * kRescueBlock, 4096, '-');
  expect_failure(e2qcow({"dump", "--all", "--strict", "--bad-blocks", "disk.map", "disk.img", "image.qcow2"}),
                 {"disk.img", "known to be bad"});
}

TEST_F(Rescue, AMapThatIsNoneIsRefused) {
  write_file(path("disk.map"), "no map\n");
  expect_failure(e2qcow({"dump", "--bad-blocks", "disk.map", "disk.img", "image.qcow2"}),
                 {"disk.map", "not valid in a ddrescue map file"});
  expect_failure(e2qcow({"dump", "--bad-blocks", "none.map", "disk.img", "image.qcow2"}),
                 {"none.map", "No such file"});
  EXPECT_FALSE(fs::exists(path("image.qcow2")));
}

TEST_F(Rescue, TheMapsOfAPartitionAreThoseOfItsDisk) {
  const std::uint64_t shift = 1 << 20;
  const std::string disk = std::string(shift, '\0') + read_file(path("disk.img"));
  const std::uint64_t offset = first_block_of("/large") * kRescueBlock;
  write_file(path("whole.img"), disk);
  std::ofstream(path("disk.map")) << "0 ?\n0 " << shift + offset << " +\n"
                                  << shift + offset << " 1024 -\n"
                                  << shift + offset + 1024 << " " << disk.size() - shift - offset - 1024
                                  << " +\n";
  const Outcome outcome = e2qcow({"dump", "--all", "--offset=1M", "--bad-blocks=disk.map",
                                  "--map-out=out.map", "whole.img", "image.qcow2"});
  EXPECT_EQ(outcome.status, 3) << outcome;
  zero(offset, 1024);
  expect_restored_as_by_qemu("image.qcow2", "ours.raw");
  expect_same_blocks_in_use("ours.raw");
  require_program("ddrescuelog");
  if (IsSkipped()) return;
  // The blocks that are bad, as ddrescue's own program reads the map.
  const std::string bad = output_of({"ddrescuelog", "--list-blocks=-", "--block-size=1024", "out.map"});
  EXPECT_EQ(bad, std::to_string((shift + offset) / 1024) + "\n");
}

TEST_F(Rescue, DdrescueFetchesWithTheDomainMapWhatADumpHolds) {
  require_program("ddrescue");
  if (IsSkipped()) return;
  for (const Words& kind : {Words{}, Words{"--all"}}) {
    Words measure{"measure", "--domain-map=domain.map", "disk.img"};
    measure.insert(measure.end(), kind.begin(), kind.end());
    EXPECT_EQ(e2qcow(measure).status, 0);
    for (const char* const old : {"rescued.img", "rescued.map"}) fs::remove(path(old));
    output_of(
        {"ddrescue", "--quiet", "--domain-mapfile=domain.map", "disk.img", "rescued.img", "rescued.map"});
    // Where nothing is missing, the dump of what was fetched has no losses and is the disk's own.
    Words dump{"dump", "--compress=none", "--bad-blocks=rescued.map", "rescued.img", "rescued.qcow2"};
    dump.insert(dump.end(), kind.begin(), kind.end());
    const Outcome outcome = e2qcow(dump);
    EXPECT_EQ(outcome.status, 0) << outcome;
    expect_restored_as_by_qemu("rescued.qcow2", "ours.raw");
    expect_same_metadata("ours.raw");
    if (!kind.empty()) expect_same_blocks_in_use("ours.raw");
  }
}

// The first reads of each block, by a disk that remembers them.
TEST_F(Rescue, WhatMattersMostIsReadFirst) {
  require_program("strace");
  if (IsSkipped()) return;
  write_map(fs::file_size(path("disk.img")) - 512, 512, '-');  // a disk that is known to die
  output_of({"strace", "-f", "-qq", "-y", "-e", "trace=pread64", "-o", "reads.log", "-E",
             "ASAN_OPTIONS=detect_leaks=0", E2QCOW_PROGRAM, "dump", "--quiet", "--all", "--threads=1",
             "--bad-blocks=disk.map", "disk.img", "image.qcow2"});
  const std::string log = read_file(path("reads.log"));
  const auto read_at = [&](std::uint64_t block) {  // the line of the first read that has the block
    std::istringstream lines(log);
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line); ++number) {
      if (line.find("disk.img>") == std::string::npos) continue;
      const std::size_t end = line.rfind(") = ");
      const std::size_t comma = line.rfind(", ", end);
      const std::size_t before = line.rfind(", ", comma - 1);
      const std::uint64_t length = std::stoull(line.substr(before + 2));
      const std::uint64_t offset = std::stoull(line.substr(comma + 2));
      if (offset <= block * kRescueBlock && block * kRescueBlock < offset + length) return number;
    }
    return std::string::npos;
  };
  const std::string groups = output_of({"dumpe2fs", "disk.img"});
  const auto place_of = [&](const std::string& what) {
    return std::stoull(groups.substr(groups.find(what + " at ") + what.size() + 4));
  };
  const std::size_t bitmap = read_at(place_of("Block bitmap"));
  const std::size_t table = read_at(place_of("Inode table"));
  const std::size_t directory = read_at(first_block_of("/many"));
  const std::size_t contents = read_at(first_block_of("/large"));
  EXPECT_LT(bitmap, table);
  EXPECT_LT(table, directory);
  EXPECT_LT(directory, contents);
  EXPECT_NE(contents, std::string::npos);
}

TEST_F(Rescue, MapFilesCostNoReadsOfTheDisk) {
  require_program("strace");
  if (IsSkipped()) return;
  const auto reads = [&](const Words& command) {
    Words words{"strace",        "-f", "-qq",       "-y", "-e",
                "trace=pread64", "-o", "reads.log", "-E", "ASAN_OPTIONS=detect_leaks=0",
                E2QCOW_PROGRAM};
    words.insert(words.end(), command.begin(), command.end());
    output_of(words);
    std::istringstream lines(read_file(path("reads.log")));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += line.find("disk.img>") != std::string::npos;
    return count;
  };
  const std::size_t dump = reads({"dump", "--quiet", "--threads=1", "disk.img", "image.qcow2"});
  EXPECT_GT(dump, 10U);
  EXPECT_EQ(reads({"dump", "--quiet", "--threads=1", "--map-out=out.map", "disk.img", "image.qcow2"}), dump);
  // Without the map, a sample for the estimate is read as well.
  EXPECT_LE(reads({"measure", "--threads=1", "--domain-map=domain.map", "disk.img"}),
            reads({"measure", "--threads=1", "disk.img"}));
}

TEST_F(Rescue, TheReportNamesTheFilesThatAreHit) {
  const std::uint64_t first = first_block_of("/large") * kRescueBlock;
  const std::uint64_t directory = first_block_of("/many") * kRescueBlock;
  const std::string ranges = std::to_string(first + 4096) + ":1," + std::to_string(first + 8192) + ":1," +
                             std::to_string(directory) + ":1";
  const Outcome outcome =
      e2qcow({"dump", "--all", "--report=report.json", "disk.img", "image.qcow2"},
             faulty({"FAULTY_FILE=" + path("disk.img").string(), "FAULTY_RANGES=" + ranges}));
  EXPECT_EQ(outcome.status, 3) << outcome;
  std::map<std::string, std::uint64_t> lost;
  const Json files = report()["files"];
  for (const Json& file : files) lost[file["path"]] = file["lost-bytes"];
  ASSERT_EQ(lost.size(), 2) << report();
  EXPECT_EQ(lost["/many"], 1024);
  const std::string large = lost.contains("/large") ? "/large" : "/hard-link";  // it has two names
  EXPECT_EQ(lost[large], 2048);
  EXPECT_EQ(report()["unreadable"].size(), 3);
  EXPECT_NE(outcome.err.find(large + ": 2.0 KiB of inode"), std::string::npos) << outcome;
}

TEST_F(Rescue, TheReportNamesFilesWhoseInodesCannotBeRead) {
  const std::string place = output_of({"debugfs", "-R", "imap /small/file7", "disk.img"});
  const std::string before = "located at block ";
  const std::uint64_t block = std::stoull(place.substr(place.find(before) + before.size()));
  const std::string stat = output_of({"debugfs", "-R", "stat /small/file7", "disk.img"});
  const std::uint64_t inode = std::stoull(stat.substr(stat.find("Inode: ") + 7));
  const Outcome outcome = e2qcow({"dump", "--report=report.json", "disk.img", "image.qcow2"},
                                 faulty({"FAULTY_FILE=" + path("disk.img").string(),
                                         "FAULTY_RANGES=" + std::to_string(block * kRescueBlock) + ":1"}));
  EXPECT_EQ(outcome.status, 3) << outcome;
  const Json files = report()["files"];
  const auto found = std::ranges::find_if(files, [&](const Json& file) { return file["inode"] == inode; });
  ASSERT_NE(found, files.end()) << report();
  EXPECT_EQ((*found)["path"], "/small/file7");
  EXPECT_EQ((*found)["lost"], "inode");
}

TEST_F(Rescue, TheReportSaysWhatIsInconsistentAndWhere) {
  debugfs_write({"set_inode_field /small/file3 block[2] 0x7fffffff", "clri /pipe"});
  const std::string stat = output_of({"debugfs", "-R", "stat /small/file3", "disk.img"});
  const std::uint64_t inode = std::stoull(stat.substr(stat.find("Inode: ") + 7));
  debugfs_write({"set_inode_field /small/file3 flags 0"});
  const Outcome outcome = e2qcow({"dump", "--all", "--report=report.json", "disk.img", "image.qcow2"});
  EXPECT_EQ(outcome.status, 3) << outcome;
  const Json findings = report()["findings"];
  const auto found = std::ranges::find_if(findings, [&](const Json& entry) {
    return entry["kind"] == "block-out-of-range" && entry.value("inode", 0ULL) == inode &&
           entry["block"] == 0x7fffffff;
  });
  ASSERT_NE(found, findings.end()) << report();
  EXPECT_EQ((*found)["path"], "/small/file3");
  EXPECT_EQ((*found)["group"], 0);
  const Json info = Json::parse(output_of({E2QCOW_PROGRAM, "info", "--json", "image.qcow2"}))["dump"];
  EXPECT_EQ(info["findings"], report()["counts"]);
  EXPECT_NE(output_of({E2QCOW_PROGRAM, "info", "image.qcow2"}).find("outside the file system"),
            std::string::npos);
}

TEST_F(Rescue, NothingIsWrittenOntoTheSourceOrTwiceToOnePlace) {
  const std::string disk = read_file(path("disk.img"));
  fs::create_symlink("disk.img", path("link"));
  for (const char* const name : {"disk.img", "./disk.img", "link"})
    expect_failure(e2qcow({"measure", "--domain-map", name, "disk.img"}),
                   {name, "would overwrite the input"});
  for (const Words& options : {Words{"--report=image.qcow2"}, Words{"--map-out=./image.qcow2"},
                               Words{"--report=side", "--map-out=tree/../side"}}) {
    Words words{"dump", "disk.img", "image.qcow2"};
    words.insert(words.end(), options.begin(), options.end());
    expect_failure(e2qcow(words), {"two outputs"});
    EXPECT_FALSE(fs::exists(path("image.qcow2")));
  }
  EXPECT_EQ(read_file(path("disk.img")), disk);
}

TEST_F(Rescue, AReportThatCannotBeWrittenShowsBeforeTheDump) {
  expect_failure(e2qcow({"dump", "--report=none/report.json", "disk.img", "image.qcow2"}),
                 {"none/report.json", "No such file"});
  expect_failure(e2qcow({"dump", "--map-out=disk.img", "disk.img", "image.qcow2"}),
                 {"disk.img", "would overwrite the input"});
  EXPECT_FALSE(fs::exists(path("image.qcow2")));
}

}  // namespace
}  // namespace e2qcow::test
