// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/socket_command.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/file/temporary_file.h"

namespace e2qcow {
namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kPatience = 5000;     // milliseconds that a program has for ending
constexpr std::string_view kPid = "LISTEN_PID=";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail(Errc::refused, path + ": is too long a name for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

UniqueFd new_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) fail_errno("socket");
  return fd;
}

struct Listener {
  UniqueFd socket;
  UniqueFd place;
};

// Connecting through an open file needs no name.
Listener listen_without_name() {
  std::string directory = temporary_directory() + "/e2qcow.XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) fail_errno(directory + ": create");
  const std::string path = directory + "/socket";
  Listener listener{new_socket(), UniqueFd()};
  const sockaddr_un address = address_of(path);
  const bool listens =
      ::bind(listener.socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(listener.socket.get(), SOMAXCONN) == 0;
  const int error = errno;
  listener.place = UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  ::unlink(path.c_str());
  ::rmdir(directory.c_str());
  if (!listens || listener.place.get() < 0) fail_errno(error, path + ": listen");
  return listener;
}

// With room for the number of the process, which is known only in the child.
std::vector<std::string> environment_with_socket() {
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each)
    if (!std::string_view(*each).starts_with("LISTEN_")) variables.emplace_back(*each);
  variables.emplace_back("LISTEN_FDS=1");
  variables.push_back(std::string(kPid) + std::string(16, '\0'));
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

void write_number(char* text, int number) {
  std::array<char, 16> digits{};
  std::size_t count = 0;
  for (; number > 0; number /= 10) digits[count++] = static_cast<char>('0' + number % 10);
  for (std::size_t i = 0; i < count; ++i) text[i] = digits[count - 1 - i];
}

// In the child, where only what signal handlers may do is safe.
void take_descriptors(int socket) {
  if (socket == kFirstInherited)
    ::fcntl(socket, F_SETFD, 0);
  else
    ::dup2(socket, kFirstInherited);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  if (::isatty(STDIN_FILENO) == 1) return;
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::close(nothing);
}

// Returns if it fails.
void become(std::vector<char*>& words, std::vector<char*>& variables, int socket, pid_t parent) {
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGXFSZ, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  write_number(variables[variables.size() - 2] + kPid.size(), ::getpid());
  take_descriptors(socket);
  ::execvpe(words[0], words.data(), variables.data());
}

std::string text_of_end(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return fmt::format("the command ended with status {}", info.si_status);
  const char* name = ::sigdescr_np(info.si_status);
  return fmt::format("the command was ended by signal {} ({})", info.si_status, name == nullptr ? "?" : name);
}

}  // namespace

SocketCommand::SocketCommand(const std::vector<std::string>& words) {
  std::vector<std::string> arguments = words;
  std::vector<std::string> variables = environment_with_socket();
  std::vector<char*> argument_pointers = pointers_to(arguments);
  std::vector<char*> variable_pointers = pointers_to(variables);
  Listener listener = listen_without_name();
  std::array<int, 2> ends{};  // of a pipe that closes when the program is there
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_errno("pipe");
  const UniqueFd from_child(ends[0]);
  UniqueFd to_parent(ends[1]);
  if (to_parent.get() == kFirstInherited) to_parent = UniqueFd(::fcntl(ends[1], F_DUPFD_CLOEXEC, 4));
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ < 0) fail_errno("fork");
  if (child_ == 0) {
    become(argument_pointers, variable_pointers, listener.socket.get(), parent);
    const int error = errno;
    ::_exit(::write(to_parent.get(), &error, sizeof error) > 0 ? 127 : 126);
  }
  to_parent = UniqueFd();
  socket_ = std::move(listener.place);
  int error = 0;
  if (::read(from_child.get(), &error, sizeof error) <= 0) return;
  ::waitpid(child_, nullptr, 0);
  fail_errno(error, words[0]);
}

SocketCommand::~SocketCommand() {
  ::kill(child_, SIGTERM);
  if (end(kPatience).empty()) ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) continue;
}

UniqueFd SocketCommand::connect() const {
  UniqueFd fd = new_socket();
  const sockaddr_un address = address_of(fmt::format("/proc/self/fd/{}", socket_.get()));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail_errno("connect");
  return fd;
}

std::string SocketCommand::end(int milliseconds) const {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
  pollfd waited{process.get(), POLLIN, 0};
  if (milliseconds > 0 && process.get() >= 0) ::poll(&waited, 1, milliseconds);
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return "";
  return info.si_pid == 0 ? "" : text_of_end(info);
}

}  // namespace e2qcow
