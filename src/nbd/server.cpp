// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/server.h"

#include <e2qcow/error.h>

#include "base/process/host_addresses.h"

namespace e2qcow::nbd {

Server::Server(const std::string& name, Time until) : name_(parse_nbd_name(name)) {
  try {
    if (!name_.command.empty()) command_ = std::make_unique<SocketCommand>(name_.command);
    if (command_ || name_.has_tls || name_.host.empty()) {
      uris_ = {name_.text};
      return;
    }
    for (const std::string& address : addresses_of_host(name_.host, until))
      uris_.push_back(with_address(name_.text, address));
  } catch (const std::system_error& error) {
    if (error.code() == Errc::connection_lost) fail(Errc::connection_lost, name + ": " + error.what());
    if (error.code().category() != std::generic_category()) throw;
    fail_errno(error.code().value(), name + ": start the command");
  }
}

}  // namespace e2qcow::nbd
