// SPDX-License-Identifier: GPL-2.0-or-later
// Damaged images, each with one fault: what `check` finds and where `restore` stops, word by word.
#include <sstream>

#include "tests/program/support/frozen.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

// Without the names of program and image.
std::string message_in(std::string line, const std::string& image) {
  for (const std::string& name : {std::string("e2qcow: "), image + ": "})
    if (line.starts_with(name)) line = line.substr(name.size());
  return line;
}

class FrozenCorruptImages : public FrozenTest {
 protected:
  // The lines of NAME.expected as they are now.
  std::string outcome_of(const std::string& command, const Words& words, const std::string& image) const {
    const Outcome outcome = e2qcow(words);
    std::string text = command + ": " + std::to_string(outcome.status) + "\n";
    std::istringstream lines(outcome.out + outcome.err);
    for (std::string line; std::getline(lines, line);) {
      const std::string message = message_in(line, image);
      const bool is_finding = message.starts_with("corruption: ") || message.starts_with("leak: ");
      if (is_finding || !outcome.err.empty()) text += command + ": " + message + "\n";
    }
    return text;
  }
};

TEST_F(FrozenCorruptImages, AreJudgedAsExpected) {
  unpack("corrupt");
  for (const std::string& name : names_ending_in(".expected")) {
    const std::string image = name + ".qcow2";
    EXPECT_EQ(outcome_of("check", {"check", "--data", image}, image) +
                  outcome_of("restore", {"restore", "-q", image, "out.raw"}, image),
              read_file(path(name + ".expected")))
        << name;
    fs::remove(path("out.raw"));
  }
}

TEST_F(FrozenCorruptImages, LeaveNoTargetBehindWhenTheyAreRefused) {
  unpack("corrupt");
  for (const std::string& name : names_ending_in(".expected"))
    if (e2qcow({"restore", "-q", name + ".qcow2", "out.raw"}).status != 1)
      fs::remove(path("out.raw"));
    else
      EXPECT_FALSE(fs::exists(path("out.raw"))) << name;
}

// The generator stands beside what it makes.
TEST_F(FrozenCorruptImages, AreThoseThatTheirGeneratorMakes) {
  require_program("python3");
  if (IsSkipped() || HasFatalFailure()) return;
  unpack("corrupt");
  fs::create_directory(path("made"));
  output_of({"python3", "make.py", "made"});
  for (const std::string& name : names_in(path("made")))
    if (!name.ends_with(".xz")) expect_same_bytes(name, "made/" + name);
  EXPECT_EQ(names_in(path("made")).size(), 2 * names_ending_in(".expected").size());
}

}  // namespace
}  // namespace e2qcow::test
