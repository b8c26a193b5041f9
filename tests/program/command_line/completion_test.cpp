// SPDX-License-Identifier: GPL-2.0-or-later
// The scripts for shells, in these shells.
#include "tests/program/support/file_systems.h"

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

class Completion : public FileSystemTest {
 protected:
  void SetUp() override {
    FileSystemTest::SetUp();
    fs::create_symlink(E2QCOW_PROGRAM, path("e2qcow"));
    for (const char* name : {"image.qcow2", "notes.txt"}) write_file(path(name), "");
  }
  // Each name becomes a file with the script.
  void make_script(const std::string& shell) const {
    write_file(path("script"), output_of({E2QCOW_PROGRAM, "completion", shell}));
  }
};

class BashCompletion : public Completion {
 protected:
  void SetUp() override {
    Completion::SetUp();
    require_program("bash");
    make_script("bash");
  }
  // What is proposed for the last of the words.
  Words proposals(const Words& words) const {
    std::string line;
    for (const std::string& word : words) line += " '" + word + "'";
    const std::string text = output_of({"bash", "-c",
                                        "source ./script; COMP_WORDS=(e2qcow" + line +
                                            "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _e2qcow; "
                                            "printf '%s\\n' \"${COMPREPLY[@]}\""});
    return lines_of(text);
  }
  static Words lines_of(const std::string& text) {
    Words lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
      if (!line.empty()) lines.push_back(line);
    return lines;
  }
};

TEST_F(BashCompletion, KnowsCommandsOptionsAndValues) {
  EXPECT_EQ(proposals({"mea"}), Words{"measure"});
  EXPECT_EQ(proposals({"dump", "--anonymize-"}), Words{"--anonymize-key"});
  EXPECT_EQ(proposals({"dump", "--compress", "n"}), Words{"none"});
  EXPECT_EQ(proposals({"dump", "--compress", "=", "n"}), Words{"none"}) << "as bash splits --compress=n";
  EXPECT_EQ(proposals({"dump", "--progress", "al"}), Words{"always"});
  EXPECT_EQ(proposals({"dump", "--offset", ""}), Words{});
}

TEST_F(BashCompletion, KnowsOperands) {
  EXPECT_EQ(proposals({"info", ""}), Words{"image.qcow2"});
  EXPECT_EQ(proposals({"restore", "--fit", "i"}), Words{"image.qcow2"});
  EXPECT_EQ(proposals({"restore", "--max-size", "1G", "image.qcow2", "n"}), Words{"notes.txt"});
  EXPECT_EQ(proposals({"info", "image.qcow2", "i"}), Words{}) << "one image, and no more";
  EXPECT_EQ(proposals({"exec", "--", "printen"}), Words{"printenv"});
  EXPECT_EQ(proposals({"exec", "--", "cat", "n"}), Words{"notes.txt"});
}

// So the script has all of them, and nothing that does not exist.
TEST_F(BashCompletion, HasTheCommandsAndOptionsOfTheHelp) {
  for (const std::string& command : proposals({""})) {
    if (command.starts_with("-")) continue;
    const std::string help = output_of({E2QCOW_PROGRAM, command, "--help"});
    const Words options = proposals({command, "-"});
    EXPECT_FALSE(options.empty());
    for (const std::string& option : options) EXPECT_NE(help.find(option), std::string::npos) << option;
  }
}

TEST_F(Completion, InFish) {
  require_program("fish");
  make_script("fish");
  const auto proposals = [&](const std::string& line) {
    return output_of({"fish", "--no-config", "-c", "source script; complete -C '" + line + "' | cut -f1"});
  };
  EXPECT_EQ(proposals("e2qcow mea"), "measure\n");
  EXPECT_EQ(proposals("e2qcow dump --anonymize-"), "--anonymize-key\n");
  EXPECT_EQ(proposals("e2qcow dump --compress n"), "none\n");
  EXPECT_EQ(proposals("e2qcow info i"), "image.qcow2\n");
}

// Typed into a terminal of its own, as zsh completes nowhere else.
TEST_F(Completion, InZsh) {
  require_program("zsh");
  make_script("zsh");
  const auto completed = [&](const std::string& typed, const std::string& expected) {
    return run(
        {"timeout", "30", "zsh", "-f", "-c",
         "zmodload zsh/zpty\nzpty shell zsh -f -i\n"
         "zpty -w shell 'setopt no_beep; PROMPT=; PATH=.:$PATH; autoload -U compinit; compinit -D -u; source "
         "./script; echo re\"\"ady'\n"
         "zpty -r shell line '*ready*'\n"
         "zpty -n -w shell $'" +
             typed +
             "\\t'\n"
             "zpty -r shell line '*" +
             expected + "*' && print found"});
  };
  for (const auto& [typed, expected] :
       std::vector<std::pair<std::string, std::string>>{{"e2qcow mea", "measure"},
                                                        {"e2qcow dump --anonymize-", "--anonymize-key"},
                                                        {"e2qcow dump --compress=n", "--compress=none"},
                                                        {"e2qcow info i", "image.qcow2"}})
    EXPECT_EQ(completed(typed, expected).out, "found\n") << typed;
}

TEST_F(Completion, ThatCannotBeWrittenIsAnError) {
  EXPECT_EQ(run({"sh", "-c", "\"$0\" completion bash >/dev/full", E2QCOW_PROGRAM}).status, 4);
}

TEST_F(Completion, OfOtherShellsIsUnknown) {
  expect_failure(e2qcow({"completion", "csh"}), {"'csh' is not one of bash, zsh, fish"}, 2);
}

}  // namespace
}  // namespace e2qcow::test
