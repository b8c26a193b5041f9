// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/program/support/frozen.h"

#include <sstream>

namespace e2qcow::test {

namespace fs = std::filesystem;

void FrozenTest::SetUp() {
  for (const char* program : {"xz", "sha256sum"}) {
    require_program(program);
    if (IsSkipped() || HasFatalFailure()) return;
  }
}

void FrozenTest::unpack(const std::string& directory) const {
  const fs::path from = fs::path(E2QCOW_TESTDATA) / directory;
  for (const std::string& name : names_in(from)) {
    fs::copy(from / name, path(name));
    if (!name.ends_with(".xz")) continue;
    output_of({"xz", "-d", "--no-sparse", name});  // holes count, and are not the same everywhere
  }
}

Words FrozenTest::names_ending_in(const std::string& ending) const {
  Words names;
  for (const std::string& name : names_in(path(".")))
    if (name.ends_with(ending)) names.push_back(name.substr(0, name.size() - ending.size()));
  EXPECT_FALSE(names.empty());
  return names;
}

nlohmann::json FrozenTest::json_of(const Words& words) const {
  const Outcome outcome = e2qcow(words);
  EXPECT_TRUE(nlohmann::json::accept(outcome.out)) << words[0] << outcome;
  return nlohmann::json::parse(outcome.out, nullptr, false);
}

std::string FrozenTest::sha256_of(const std::string& file) const {
  return output_of({"sha256sum", file}).substr(0, 64);
}

void FrozenTest::expect_holds(const std::string& name, const std::string& sha256) const {
  const std::string image = name + ".qcow2";
  Words restore{"restore", image, "restored.raw"};
  const nlohmann::json info = json_of({"info", "--json", image});
  if (info.contains("backing-file"))
    restore.insert(restore.end(), {"--backing", info["backing-file"].get<std::string>() + ":qcow2"});
  EXPECT_EQ(e2qcow(restore).status, 0) << name;
  EXPECT_EQ(sha256_of("restored.raw"), sha256) << name;
  fs::remove(path("restored.raw"));
}

std::map<std::string, std::string> sha256_of_names(const std::string& text) {
  std::map<std::string, std::string> sums;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) sums[line.substr(66)] = line.substr(0, 64);
  EXPECT_FALSE(sums.empty());
  return sums;
}

}  // namespace e2qcow::test
