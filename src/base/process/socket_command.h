// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace e2qcow {

// A program that serves on a socket which it inherits, as sd_listen_fds(3) describes. The socket has no name
// that another user could connect to, and leaves no file behind. What the program prints goes to standard
// error; it reads standard input only from a terminal. It ends when this program does, however that ends.
class SocketCommand {
 public:
  // Throws if it cannot be started.
  explicit SocketCommand(const std::vector<std::string>& words);
  // Ends it, the hard way if it does not go.
  ~SocketCommand();
  SocketCommand(const SocketCommand&) = delete;
  SocketCommand& operator=(const SocketCommand&) = delete;

  // A new connection. Throws ECONNREFUSED once the program has closed the socket.
  UniqueFd connect() const;
  // How it ended, as "the command ended with status 1"; empty while it runs. If it was about to end, within
  // so many milliseconds.
  std::string end(int milliseconds = 0) const;

 private:
  UniqueFd socket_;  // its place in the file system, from which the name was taken
  int child_ = 0;
};

}  // namespace e2qcow
