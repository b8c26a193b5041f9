// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/socket_command.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/temp_dir.h"

namespace e2qcow {
namespace {

// Answers each connection with what a program is told of its socket.
constexpr const char* kServer =
    "import os, socket\n"
    "listener = socket.socket(fileno=3)\n"
    "while True:\n"
    "  connection, _ = listener.accept()\n"
    "  connection.sendall(f'{os.environ[\"LISTEN_FDS\"]} {os.environ[\"LISTEN_PID\"] == "
    "str(os.getpid())}'.encode())\n"
    "  connection.close()\n";

std::string answer_on(const UniqueFd& connection) {
  std::string answer;
  std::array<char, 100> bytes{};
  for (ssize_t n = 0; (n = ::read(connection.get(), bytes.data(), bytes.size())) > 0;)
    answer.append(bytes.data(), static_cast<std::size_t>(n));
  return answer;
}

TEST(SocketCommand, ServesConnectionsOnTheSocketThatItInherits) {
  const SocketCommand command({"python3", "-c", kServer});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer_on(command.connect()), "1 True");
  EXPECT_EQ(command.end(), "");
}

TEST(SocketCommand, LeavesNoFile) {
  const TempDir directory;
  ::setenv("TMPDIR", directory.file("").c_str(), 1);
  const SocketCommand command({"sleep", "1000"});
  ::unsetenv("TMPDIR");
  EXPECT_TRUE(std::filesystem::is_empty(directory.file("")));
}

TEST(SocketCommand, ThatCannotBeStartedIsAnError) {
  EXPECT_EQ(code_of([] { const SocketCommand command({"/no/such/program"}); }),
            std::errc::no_such_file_or_directory);
}

TEST(SocketCommand, SaysHowItEnded) {
  const SocketCommand command({"sh", "-c", "exit 7"});
  EXPECT_EQ(command.end(10'000), "the command ended with status 7");
  EXPECT_EQ(code_of([&] { command.connect(); }), std::errc::connection_refused);
}

TEST(SocketCommand, IsEndedAndWaitedForEvenIfItIsStubborn) {
  const TempDir directory;
  const std::string mark = directory.file("pid");
  {
    const SocketCommand command({"sh", "-c", "trap '' TERM; echo $$ >" + mark + "; exec sleep 1000"});
    while (read_text(mark).empty()) EXPECT_EQ(command.end(10), "");
  }
  EXPECT_EQ(::kill(std::stoi(read_text(mark)), 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

}  // namespace
}  // namespace e2qcow
