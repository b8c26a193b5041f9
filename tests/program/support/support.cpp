// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/program/support/support.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sstream>

namespace e2qcow::test {
namespace {

namespace fs = std::filesystem;

constexpr int kTimeoutMilliseconds = 120'000;

const char* variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// Messages in English, and the programs of administrators for everybody.
void prepare_environment() {
  static const bool kDone = [] {
    const std::string search_path = variable("PATH", "/usr/bin:/bin");
    ::setenv("PATH", (search_path + ":/usr/sbin:/sbin").c_str(), 1);
    ::setenv("LC_ALL", "C", 1);
    return true;
  }();
  static_cast<void>(kDone);
}

bool is_installed(const std::string& program) {
  std::istringstream search_path(variable("PATH", ""));
  for (std::string directory; std::getline(search_path, directory, ':');)
    if (::access((directory + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

std::string contents(int fd) {
  std::string text(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  EXPECT_EQ(n, static_cast<ssize_t>(text.size()));
  return text;
}

std::vector<char*> pointers(Words& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

// In front, as the first of two settings counts.
Words complete_environment(Words environment) {
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

int wait_for(pid_t child) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd ended{handle, POLLIN, 0};
  if (::poll(&ended, 1, kTimeoutMilliseconds) != 1) {
    ADD_FAILURE() << "takes too long, or poll failed";
    ::kill(child, SIGKILL);
  }
  ::close(handle);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  return stream << "exit status " << outcome.status << "\nstdout:\n"
                << outcome.out << "\nstderr:\n"
                << outcome.err;
}

Outcome run(const Words& words, const fs::path& directory, const Words& environment) {
  prepare_environment();
  Words arguments = words;
  Words variables = complete_environment(environment);
  const int out = ::memfd_create("stdout", MFD_CLOEXEC);
  const int err = ::memfd_create("stderr", MFD_CLOEXEC);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, words[0].c_str(), &actions, nullptr, pointers(arguments).data(),
                                   pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  Outcome outcome;
  outcome.status = error != 0 ? 127 : wait_for(child);
  outcome.out = contents(out);
  outcome.err = contents(err);
  ::close(out);
  ::close(err);
  return outcome;
}

void require_program(const std::string& name) {
  prepare_environment();
  if (is_installed(name)) return;
  if (std::getenv("E2QCOW_CI") != nullptr) FAIL() << name << " is not installed";
  GTEST_SKIP() << name << " is not installed";
}

Words uncompressed() {
  return {"--compress=none"};
}

Words faulty(Words settings) {
  settings.emplace_back("LD_PRELOAD=" FAULTY_READS_LIBRARY);
  // Our library comes before the sanitizer's, which would complain.
  settings.emplace_back(std::string("ASAN_OPTIONS=verify_asan_link_order=0:") + variable("ASAN_OPTIONS", ""));
  return settings;
}

IntegrationTest::IntegrationTest() {
  const char* fallback = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  std::string name = std::string(variable("TMPDIR", fallback)) + "/e2qcow-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << name << ": cannot be created";
  directory_ = fs::canonical(name);
}

IntegrationTest::~IntegrationTest() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void IntegrationTest::SetUp() {
  for (const char* judge : {"mke2fs", "e2fsck", "debugfs", "dumpe2fs", "e2image", "qemu-img"}) {
    require_program(judge);
    if (IsSkipped() || HasFatalFailure()) return;
  }
}

Outcome IntegrationTest::run(const Words& words, const Words& environment) const {
  return test::run(words, directory_, environment);
}

Outcome IntegrationTest::e2qcow(Words words, const Words& environment) const {
  words.insert(words.begin(), E2QCOW_PROGRAM);
  return run(words, environment);
}

std::string IntegrationTest::output_of(const Words& words) const {
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.status, 0) << words[0] << ": " << outcome;
  return outcome.out;
}

void IntegrationTest::expect_same_bytes(const std::string& a, const std::string& b) const {
  EXPECT_EQ(difference(path(a), path(b)), "") << a << ' ' << b;
}

void IntegrationTest::expect_restored_as_by_qemu(const std::string& image, const std::string& target) const {
  expect_qemu_finds_nothing(image);
  const Outcome restore = e2qcow({"restore", image, target});
  EXPECT_EQ(restore.status, 0) << restore;
  output_of({"qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, "by-qemu.raw"});
  expect_same_bytes(target, "by-qemu.raw");
}

void IntegrationTest::expect_failure(const Outcome& outcome, const Words& texts, int status) const {
  EXPECT_EQ(outcome.status, status) << outcome;
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome;
  for (const std::string& text : texts) EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome;
}

void IntegrationTest::expect_qemu_finds_nothing(const std::string& image) const {
  const Outcome check = run({"qemu-img", "check", "-f", "qcow2", image});
  EXPECT_EQ(check.status, 0) << check;
  EXPECT_EQ(check.err, "");
  EXPECT_NE(check.out.find("No errors were found on the image."), std::string::npos) << check;
}

}  // namespace e2qcow::test
