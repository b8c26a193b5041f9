// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/program/support/file_systems.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

// Every kilobyte of it is different.
std::string marked_bytes(std::size_t size) {
  std::string bytes;
  for (int i = 0; bytes.size() < size; ++i) {
    bytes += kMarker + std::string(" ") + std::to_string(i);
    bytes.resize(bytes.size() + 64 - bytes.size() % 64, '.');
  }
  bytes.resize(size);
  return bytes;
}

// Data at the given places, holes between them.
void write_pieces(const fs::path& path, std::uint64_t first, std::uint64_t distance, std::uint64_t count) {
  const std::string piece = marked_bytes(4096);
  std::ofstream stream(path, std::ios::binary);
  for (std::uint64_t i = 0; i < count; ++i) {
    stream.seekp(static_cast<std::streamoff>(first + i * distance));
    stream << piece;
  }
}

const char* const kLookAtEverything = R"(ls -l /
ls -l /many
htree_dump /many
stat /many
stat /large
blocks /large
stat /with-holes
dump_extents /with-holes
blocks /with-holes
blocks /far-away
stat /small/file5
ea_list /small/file1
ea_list /small/file2
ea_get /small/file1 user.note
ea_get /small/file2 user.long
stat /short-link
stat /long-link
stat /console
stat /pipe
stat <7>
stat <8>
logdump -a
list_quota user
dump_mmp
stats -h
)";

Words lines_of(const Outcome& outcome) {
  std::ostringstream text;
  text << outcome;
  std::istringstream stream(text.str());
  Words lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string first_difference(const Words& ours, const Words& theirs) {
  const auto found = std::ranges::mismatch(ours, theirs);
  if (found.in1 == ours.end() && found.in2 == theirs.end()) return "";
  const std::string our_line = found.in1 == ours.end() ? "(end)" : *found.in1;
  const std::string their_line = found.in2 == theirs.end() ? "(end)" : *found.in2;
  return "ours:   " + our_line + "\ntheirs: " + their_line;
}

// Calls `visit(first, last)` for each range of a list as "3, 5-8".
template <typename Visit>
void for_each_range(const std::string& list, Visit visit) {
  std::istringstream stream(list);
  for (std::string range; std::getline(stream, range, ',');) {
    if (range.find_first_of("0123456789") == std::string::npos) continue;
    const std::size_t dash = range.find('-');
    const std::uint64_t first = std::stoull(range);
    visit(first, dash == std::string::npos ? first : std::stoull(range.substr(dash + 1)));
  }
}

// Where the file system with these options is for all tests of a run; empty if there is no such place.
fs::path kept_file_system(const FileSystemOptions& options) {
  const char* directory = std::getenv("E2QCOW_TEST_FILE_SYSTEMS");
  if (directory == nullptr) return {};
  std::string all = options.size;
  for (const Words* words : {&options.mke2fs, &options.debugfs, &options.tune2fs}) {
    for (const std::string& word : *words) all += '\n' + word;
    all += '\n';
  }
  return fs::path(directory) / std::to_string(std::hash<std::string>()(all));
}

// Of several tests that do this at a time, the last one wins.
void keep(const fs::path& disk, const fs::path& kept) {
  fs::create_directories(kept.parent_path());
  const fs::path partial = kept.string() + "." + std::to_string(::getpid());
  copy_disk(disk, partial);
  fs::rename(partial, kept);
}

}  // namespace

std::string first_difference(const Outcome& ours, const Outcome& theirs) {
  return first_difference(lines_of(ours), lines_of(theirs));
}

void FileSystemTest::make_tree() const {
  const fs::path tree = path("tree");
  fs::create_directories(tree / "small");
  fs::create_directories(tree / "many");
  for (std::size_t i = 0; i < 40; ++i)
    write_file(tree / "small" / ("file" + std::to_string(i)), marked_bytes(i * i * 8 + 64));
  const std::string long_name(100, 'n');
  for (int i = 0; i < 300; ++i) write_file(tree / "many" / (long_name + std::to_string(i)), "");
  write_file(tree / "large", marked_bytes(1 << 20));
  write_pieces(tree / "with-holes", 0, 8192, 400);     // so many extents need two levels
  write_pieces(tree / "far-away", 70 << 20, 4096, 1);  // needs triple-indirect blocks of 1 KiB
  fs::create_symlink("small/file1", tree / "short-link");
  fs::create_symlink(std::string(200, 'l'), tree / "long-link");
  fs::create_hard_link(tree / "large", tree / "hard-link");
  write_file(path("xattr-value"), std::string(500, 'v'));
}

void FileSystemTest::debugfs_write(const Words& commands) const {
  std::string script;
  for (const std::string& command : commands) script += command + "\n";
  write_file(path("script"), script);
  const Outcome outcome = run({"debugfs", "-w", "-f", "script", "disk.img"});
  EXPECT_EQ(outcome.status, 0) << outcome;
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome;  // its version; errors come there too
}

void FileSystemTest::make_anew(const FileSystemOptions& options) const {
  Words words{"mke2fs", "-q", "-F", "-U", "0a1b2c3d-0102-4304-8506-a0b0c0d0e0f0", "-d", "tree"};
  words.insert(words.end(), options.mke2fs.begin(), options.mke2fs.end());
  words.insert(words.end(), {"disk.img", options.size});
  output_of(words);
  debugfs_write({"ea_set /small/file1 user.note short", "ea_set -f xattr-value /small/file2 user.long",
                 "mknod console c 5 1", "mknod pipe p"});
  // Lets directories have hash trees, which mke2fs does not make.
  EXPECT_LE(run({"e2fsck", "-fyD", "disk.img"}).status, 1);
  if (!options.debugfs.empty()) debugfs_write(options.debugfs);
  if (options.tune2fs.empty()) return;
  words = {"tune2fs", "disk.img"};
  words.insert(words.end(), options.tune2fs.begin(), options.tune2fs.end());
  output_of(words);
}

void FileSystemTest::make_file_system(const FileSystemOptions& options) const {
  if (!fs::exists(path("tree"))) make_tree();
  const fs::path kept = kept_file_system(options);
  if (fs::exists(kept)) return copy_disk(kept, path("disk.img"));
  make_anew(options);
  if (!kept.empty()) keep(path("disk.img"), kept);
}

std::string FileSystemTest::header_field(const std::string& field) const {
  std::istringstream lines(output_of({"dumpe2fs", "-h", "disk.img"}));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(field + ":")) return line.substr(line.find_first_not_of(' ', field.size() + 1));
  ADD_FAILURE() << "dumpe2fs says nothing about " << field;
  return "0";
}

std::uint64_t FileSystemTest::first_block_of(const std::string& file) const {
  return std::stoull("0" + output_of({"debugfs", "-R", "bmap " + file + " 0", "disk.img"}));
}

void FileSystemTest::expect_same_metadata(const std::string& raw) const {
  write_file(path("look"), kLookAtEverything);
  fs::create_directories(path("theirs"));
  fs::create_directories(path("ours"));
  fs::rename(path(raw), path("ours/disk.img"));
  fs::create_hard_link(path("disk.img"), path("theirs/disk.img"));
  const std::vector<Words> judges{
      {"e2fsck", "-fn", "disk.img"}, {"dumpe2fs", "disk.img"}, {"debugfs", "-f", path("look"), "disk.img"}};
  for (const Words& judge : judges)
    EXPECT_EQ(first_difference(test::run(judge, path("ours")), test::run(judge, path("theirs"))), "")
        << judge[0];
  fs::rename(path("ours/disk.img"), path(raw));
  fs::remove(path("theirs/disk.img"));
}

void FileSystemTest::expect_checked_alike(const std::string& raw, const Words& options) const {
  Words words{"e2fsck"};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("copies/disk.img");
  fs::create_directories(path("copies"));
  std::vector<Words> said;
  for (const std::string& name : {raw, std::string("disk.img")}) {
    copy_disk(path(name), path("copies/disk.img"));
    said.push_back(lines_of(run(words)));
  }
  EXPECT_EQ(first_difference(said[0], said[1]), "") << "e2fsck " << options[0];
}

void FileSystemTest::expect_dumps_are_judged_alike(const Words& dump_options) const {
  for (const Words& kind : {Words{"--all"}, Words{}}) {
    Words words{"dump", "disk.img", "image.qcow2"};
    words.insert(words.end(), kind.begin(), kind.end());
    words.insert(words.end(), dump_options.begin(), dump_options.end());
    const Outcome dump = e2qcow(words);
    EXPECT_EQ(dump.status & ~3, 0) << dump;
    EXPECT_NE(dump.status & 3, 1) << dump;
    expect_restored_as_by_qemu("image.qcow2", "ours.raw");
    expect_same_metadata("ours.raw");
    expect_checked_alike("ours.raw", {"-fy"});
  }
}

std::vector<bool> FileSystemTest::free_blocks() const {
  const std::uint64_t size = block_size();
  const bool has_clusters = header_field("Filesystem features").find("bigalloc") != std::string::npos;
  const std::uint64_t cluster = has_clusters ? std::stoull(header_field("Cluster size")) / size : 1;
  std::vector<bool> free(fs::file_size(path("disk.img")) / size, false);
  std::istringstream lines(output_of({"dumpe2fs", "disk.img"}));
  const std::string title = "  Free blocks: ";
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(title)) continue;
    for_each_range(line.substr(title.size()), [&](std::uint64_t first, std::uint64_t last) {
      const std::uint64_t end = std::min<std::uint64_t>(last + cluster, free.size());
      for (std::uint64_t block = first; block < end; ++block) free[block] = true;
    });
  }
  EXPECT_TRUE(std::ranges::count(free, true) > 0);
  return free;
}

void FileSystemTest::expect_same_files(const std::string& raw) const {
  fs::create_directory(path("files"));
  output_of(
      {"debugfs", "-R", "rdump /small /large /hard-link /with-holes /short-link /long-link files", raw});
  output_of({"diff", "-r", "--no-dereference", "--exclude=many", "--exclude=far-away", "tree", "files"});
}

void FileSystemTest::expect_same_blocks_in_use(const std::string& raw) const {
  const std::string original = read_file(path("disk.img"));
  const std::string disk = read_file(path(raw));
  ASSERT_EQ(disk.size(), original.size());
  const std::vector<bool> free = free_blocks();
  const std::uint64_t size = block_size();
  for (std::uint64_t block = 0; block < free.size(); ++block) {
    const bool same = disk.compare(block * size, size, original, block * size, size) == 0;
    ASSERT_TRUE(same || free[block]) << "block " << block;
  }
}

}  // namespace e2qcow::test
