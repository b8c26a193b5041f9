// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/process/socket_command.h"
#include "nbd/nbd_name.h"

namespace e2qcow::nbd {

using Time = std::chrono::steady_clock::time_point;

// Where a disk is served: at the addresses that its URI had in the beginning, or by a command. For new
// connections nothing but that is needed, and the files of TLS.
class Server {
 public:
  // Starts the command, if it is one.
  Server(const std::string& name, Time until);

  const std::string& name() const { return name_.text; }
  const SocketCommand* command() const { return command_.get(); }  // null: there are URIs
  // One for each address. A certificate is for the name of a host, which is then asked for again each time.
  const std::vector<std::string>& uris() const { return uris_; }

 private:
  NbdName name_;
  std::unique_ptr<SocketCommand> command_;
  std::vector<std::string> uris_;
};

}  // namespace e2qcow::nbd
