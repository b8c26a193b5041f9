// SPDX-License-Identifier: GPL-2.0-or-later
// What every command promises. The commands, their operands and options are those that the program's own help
// lists, so that a new command is tested here from its first day.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tests/program/support/e2image.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

// The first words of the lines under a title, up to the next empty line.
Words names_under(const std::string& title, const std::string& help) {
  std::istringstream lines(help.substr(help.find("\n" + title + ":\n") + title.size() + 3));
  Words names;
  std::string line;
  while (std::getline(lines, line) && !line.empty()) {
    std::istringstream words(line);
    if (line.starts_with("  ") && line[2] != ' ') words >> names.emplace_back();
  }
  return names;
}

// Of "Usage: e2qcow dump [OPTIONS] DEVICE IMAGE" the last two words.
Words operands_of(const std::string& help) {
  std::smatch usage;
  EXPECT_TRUE(std::regex_search(help, usage, std::regex("Usage: e2qcow [a-z]+ \\[OPTIONS\\] ([^\n]*)")))
      << help;
  std::istringstream words(usage[1]);
  return {std::istream_iterator<std::string>(words), {}};
}

class Contract : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const std::string& name : names_under("Subcommands", output_of({E2QCOW_PROGRAM, "--help"})))
      help_[name] = output_of({E2QCOW_PROGRAM, name, "--help"});
    ASSERT_GE(help_.size(), 8U);
  }

  // A file that is there for what is read, a new one for what is written.
  Words good_operands(const std::string& command) const {
    static const std::map<std::string, Words> kMadeOf{{"dump", {"disk.img", "new.qcow2"}},
                                                      {"restore", {"image.qcow2", "new.raw"}},
                                                      {"compare", {"disk.img", "image.qcow2"}},
                                                      {"audit", {"anonymised.qcow2", "disk.img"}},
                                                      {"measure", {"disk.img"}},
                                                      {"completion", {"bash"}}};
    const auto found = kMadeOf.find(command);
    return found == kMadeOf.end() ? Words{"image.qcow2"} : found->second;
  }
  void make_files() const {
    make_file_system();
    EXPECT_EQ(e2qcow({"dump", "-q", "--all", "disk.img", "image.qcow2"}).status, 0);
    EXPECT_EQ(e2qcow({"dump", "-q", "--anonymize", "disk.img", "anonymised.qcow2"}).status, 0);
  }
  bool has_option(const std::string& command, const std::string& option) const {
    return help_.at(command).find("  " + option + " ") != std::string::npos;
  }

  std::map<std::string, std::string> help_;  // by command
};

Words with_operands(Words words, const Words& operands) {
  words.insert(words.end(), operands.begin(), operands.end());
  return words;
}

// One line as from all errors: "e2qcow COMMAND: what is wrong; see e2qcow COMMAND --help".
void expect_usage_error(const Outcome& outcome, const std::string& program, const std::string& word) {
  const bool has_results = program.ends_with(" check") || program.ends_with(" verify");  // 2 is the worst
  EXPECT_EQ(outcome.status, has_results ? 1 : 2) << outcome;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome;
  EXPECT_TRUE(outcome.err.starts_with(program + ": ")) << outcome;
  EXPECT_TRUE(outcome.err.ends_with("; see " + program + " --help\n")) << outcome;
  EXPECT_NE(outcome.err.find(word), std::string::npos) << outcome;
}

TEST_F(Contract, TheHelpOfEachCommandHasAnExample) {
  for (const auto& [command, help] : help_)
    EXPECT_NE(help.find("Example: e2qcow " + command + " "), std::string::npos) << help;
}

TEST_F(Contract, HelpFits80ColumnsAndHasNoWordsOfTheParser) {
  for (const auto& [command, help] : help_) {
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
    for (const std::string word : {"TEXT", "UINT", "REQUIRED", "Excludes"})
      EXPECT_EQ(help.find(word), std::string::npos) << help;
  }
}

TEST_F(Contract, HelpGoesToStandardOutputAndSucceedsWhateverElseIsThere) {
  for (const auto& [command, help] : help_) {
    EXPECT_EQ(e2qcow({command, "-h"}), (Outcome{0, help, ""})) << command;
    if (command != "exec") {  // where it is an option of the program
      EXPECT_EQ(e2qcow({command, "absent", "--help"}), (Outcome{0, help, ""})) << command;
    }
    EXPECT_EQ(run({"sh", "-c", "\"$0\" \"$1\" --help >/dev/full", E2QCOW_PROGRAM, command}).status, 1)
        << command;
  }
}

TEST_F(Contract, TheManualNamesEachCommandAndOption) {
  const std::string manual = read_file(E2QCOW_MANUAL);
  for (const auto& [command, help] : help_) {
    EXPECT_NE(manual.find("\n.Ss " + command + "\n"), std::string::npos) << command;
    for (const std::string& option : names_under("Options", help)) {
      const std::string last = option.substr(option.rfind(',') + 1);  // of "-q,--quiet"
      const std::regex as_a_word("Fl " + last.substr(1) + "[ \n,]");
      EXPECT_TRUE(last == "--help" || std::regex_search(manual, as_a_word)) << command << ' ' << last;
    }
  }
}

TEST_F(Contract, AnUnknownOptionIsAUsageError) {
  for (const auto& [command, help] : help_)
    expect_usage_error(e2qcow(with_operands({command, "--no-such-option"}, operands_of(help))),
                       "e2qcow " + command, "--no-such-option");
}

TEST_F(Contract, AMissingOperandIsNamed) {
  for (const auto& [command, help] : help_) {
    Words operands = operands_of(help);
    while (!operands.empty() && operands.back().starts_with("[")) operands.pop_back();  // need not be there
    ASSERT_FALSE(operands.empty()) << help;
    for (; !operands.empty(); operands.pop_back()) {
      const std::string missing = operands.back().substr(0, operands.back().find("..."));
      const Words given(operands.begin(), operands.end() - 1);
      expect_usage_error(e2qcow(with_operands({command}, given)), "e2qcow " + command,
                         missing + " is required");
    }
  }
}

TEST_F(Contract, OneOperandTooManyIsNamed) {
  for (const auto& [command, help] : help_) {
    if (operands_of(help).back().ends_with("...")) continue;
    expect_usage_error(e2qcow(with_operands({command}, with_operands(operands_of(help), {"one-too-many"}))),
                       "e2qcow " + command, "one-too-many");
  }
}

TEST_F(Contract, WhatIsGivenInPlaceOfACommandIsNamed) {
  expect_usage_error(e2qcow({}), "e2qcow", "a command is required");
  expect_usage_error(e2qcow({"no-such-command"}), "e2qcow", "no-such-command");
  expect_usage_error(e2qcow({"--no-such-option"}), "e2qcow", "");
  expect_usage_error(e2qcow({"no\x1b[31m\nsuch"}), "e2qcow", "no\\x1b[31m\\x0asuch");
}

// `check`, `compare` and `audit` have other statuses for what they find, which e2qcow(8) names.
bool finds_differences(const std::string& command) {
  return command == "compare" || command == "audit";
}

// `completion` describes the program itself.
bool works_on_files(const std::string& command) {
  return command != "completion";
}

TEST_F(Contract, AMissingFileIsNamed) {
  make_files();
  for (const auto& [command, help] : help_) {
    if (!works_on_files(command)) continue;
    const std::size_t files = command == "exec" ? 1 : good_operands(command).size();
    for (std::size_t i = 0; i < files; ++i) {
      Words operands = good_operands(command);
      operands[i] = "no-such-directory/no-such-file";
      const Outcome outcome = e2qcow(with_operands({command}, operands));
      EXPECT_EQ(outcome.status, finds_differences(command) ? 2
                                : command == "exec"        ? 127
                                                           : 1)
          << command << outcome;
      EXPECT_EQ(outcome.out, "") << command;
      EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome;
      EXPECT_TRUE(outcome.err.starts_with("e2qcow: no-such-directory/no-such-file: ")) << outcome;
    }
  }
}

TEST_F(Contract, JsonIsOneDocumentOnStandardOutput) {
  make_files();
  for (const auto& [command, help] : help_) {
    if (command == "exec" || !works_on_files(command)) continue;
    ASSERT_TRUE(has_option(command, "--json")) << help;
    const Outcome outcome = e2qcow(with_operands({command, "--json"}, good_operands(command)));
    EXPECT_EQ(outcome.status, 0) << command << outcome;
    EXPECT_TRUE(nlohmann::json::accept(outcome.out)) << command << outcome;
    EXPECT_TRUE(outcome.out.ends_with("\n")) << command;
  }
}

TEST_F(Contract, AResultThatCannotBeWrittenIsAnError) {
  make_files();
  for (const auto& [command, help] : help_) {
    if (command == "exec" || !works_on_files(command)) continue;
    Words words = with_operands({command, "--json"}, good_operands(command));
    words.insert(words.begin(), {"sh", "-c", "exec \"$0\" \"$@\" >/dev/full", E2QCOW_PROGRAM});
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, finds_differences(command)                  ? 2
                              : command == "check" || command == "verify" ? 1
                                                                          : 4)
        << command << outcome;
    EXPECT_NE(outcome.err.find("e2qcow: standard output: "), std::string::npos) << command << outcome;
  }
}

// What `measure` is asked for is its result.
TEST_F(Contract, QuietSaysNothingOnStandardError) {
  make_files();
  for (const auto& [command, help] : help_) {
    if (!has_option(command, "-q,--quiet")) continue;
    const Outcome outcome = e2qcow(with_operands({command, "--quiet"}, good_operands(command)));
    EXPECT_EQ(outcome.status, 0) << command << outcome;
    EXPECT_EQ(outcome.err, "") << command;
  }
}

// What is read is never written, and what is wrong with the command line is found before anything is.
TEST_F(Contract, NothingThatIsReadIsChanged) {
  make_files();
  copy_disk(path("disk.img"), path("before.img"));
  copy_disk(path("image.qcow2"), path("before.qcow2"));
  for (const auto& [command, help] : help_) {
    e2qcow(with_operands({command}, good_operands(command)));
    e2qcow(with_operands({command, "--no-such-option"}, good_operands(command)));
    expect_same_bytes("disk.img", "before.img");
    expect_same_bytes("image.qcow2", "before.qcow2");
  }
}

// Our e2image has no commands, and the messages of the one whose place it takes.
using ContractOfE2image = E2imageTest;

TEST_F(ContractOfE2image, UsageErrorsAreThoseOfE2image) {
  make_file_system();
  for (const Words& words : {Words{},
                             {"-r"},
                             {"disk.img"},
                             {"-x", "disk.img", "out"},
                             {"-r", "disk.img", "a", "b"},
                             {"-rQ", "disk.img", "out"},
                             {"-I", "disk.img"}}) {
    Outcome by_theirs = theirs(words);
    const Outcome by_ours = ours(words);
    EXPECT_EQ(by_ours.status, by_theirs.status) << by_ours << by_theirs;
    EXPECT_NE(by_ours.status, 0);
    EXPECT_EQ(by_ours.out, by_theirs.out);
    EXPECT_NE(by_ours.err, "");
    EXPECT_FALSE(fs::exists(path("out")));
  }
}

TEST_F(ContractOfE2image, AMissingFileIsNamed) {
  for (const char* option : {"-r", "-Q", "-ra", "-Qa"}) {
    const Outcome outcome = ours({option, "no-such-file", "out"});
    EXPECT_EQ(outcome.status, 1) << outcome;
    EXPECT_NE(outcome.err.find("no-such-file"), std::string::npos) << outcome;
    EXPECT_FALSE(fs::exists(path("out")));
  }
}

TEST_F(ContractOfE2image, AFullTargetIsAnError) {
  make_file_system();
  for (const char* option : {"-r", "-Q", "-ra"}) {
    const Outcome outcome = ours({option, "disk.img", "/dev/full"});
    EXPECT_NE(outcome.status, 0) << option << outcome;
    EXPECT_NE(outcome.err.find("/dev/full"), std::string::npos) << option << outcome;
  }
  EXPECT_EQ(run({"sh", "-c", "exec \"$0\" -r disk.img - >/dev/full", E2IMAGE_PROGRAM}).status, 1);
}

}  // namespace
}  // namespace e2qcow::test
