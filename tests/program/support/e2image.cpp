// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/program/support/e2image.h"

#include <regex>
#include <sstream>

namespace e2qcow::test {

namespace fs = std::filesystem;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

Outcome E2imageTest::ours(Words words, const Words& environment) const {
  words.insert(words.begin(), E2IMAGE_PROGRAM);
  Outcome outcome = run(words, environment);
  outcome.err = replaced(outcome.err, E2IMAGE_PROGRAM, "e2image");
  return outcome;
}

Outcome E2imageTest::theirs(Words words) const {
  words.insert(words.begin(), "e2image");
  return run(words);
}

void E2imageTest::expect_same(const Words& arguments, Target target) const {
  const auto with_target = [&](const std::string& name) {
    if (target == Target::exists) {
      write_file(path(name), std::string(1 << 20, 'x'));
      fs::resize_file(path(name), 300 << 20);
    }
    Words words = arguments;
    for (std::string& word : words) word = replaced(word, "TARGET", name);
    return words;
  };
  std::ostringstream shown;
  for (const std::string& argument : arguments) shown << argument << ' ';
  Outcome our_outcome = ours(with_target("ours"));
  our_outcome.err = replaced(our_outcome.err, "ours", "theirs");
  EXPECT_EQ(our_outcome, theirs(with_target("theirs"))) << shown.str();
  // What -n leaves is another matter, and what errors leave.
  const bool is_list = arguments[0].find('n') != std::string::npos;
  if (!is_list && our_outcome.status == 0) {
    EXPECT_EQ(difference(path("ours"), path("theirs")), "") << shown.str();
  }
  fs::remove(path("ours"));
  fs::remove(path("theirs"));
}

std::string E2imageTest::copied_line(const Outcome& outcome) {
  std::smatch match;
  const bool found =
      std::regex_search(outcome.err, match, std::regex("Copied \\d+ / \\d+ blocks \\(\\d+%\\) in"));
  return found ? match.str() : "nothing was copied: " + outcome.err;
}

// Of meta_bg all copies of a descriptor block but that in the first of its groups.
void E2imageTest::clear_backups() const {
  const std::uint64_t size = block_size();
  const bool is_64bit = header_field("Filesystem features").find("64bit") != std::string::npos;
  const std::uint64_t per_block = size / (is_64bit ? 64 : 32);
  const std::regex group_line("^Group (\\d+):");
  const std::regex backup("Backup superblock at (\\d+)(, Group descriptors at (\\d+)-(\\d+))?");
  const std::regex single("Group descriptor at (\\d+)");
  std::istringstream lines(output_of({"dumpe2fs", "disk.img"}));
  std::uint64_t group = 0;
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, match, group_line)) group = std::stoull(match[1]);
    const std::string zeros(size, '\0');
    if (std::regex_search(line, match, backup)) {
      patch_file(path("disk.img"), std::stoull(match[1]) * size, zeros);
      for (std::uint64_t block = match[2].matched ? std::stoull(match[3]) : 1;
           match[2].matched && block <= std::stoull(match[4]); ++block)
        patch_file(path("disk.img"), block * size, zeros);
    }
    if (group % per_block != 0 && std::regex_search(line, match, single))
      patch_file(path("disk.img"), std::stoull(match[1]) * size, zeros);
  }
}

void E2imageTest::expect_image_of(const std::string& raw, const Words& options) const {
  Words words = options;
  words.insert(words.end(), {"disk.img", "image.qcow2"});
  const Outcome outcome = ours(words);
  EXPECT_EQ(outcome.status, 0) << outcome;
  const int check = run({"qemu-img", "check", "-f", "qcow2", "image.qcow2"}).status;
  EXPECT_TRUE(check == 0 || check == 3) << check;  // 3: leaked clusters, as e2image has them
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", "image.qcow2", "by-qemu.raw"});
  expect_same_bytes("by-qemu.raw", raw);
}

}  // namespace e2qcow::test
