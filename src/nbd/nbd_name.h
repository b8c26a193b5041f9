// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace e2qcow::nbd {

// A disk on a server: a URI, or "[ COMMAND ... ]" for a server that is started for it, with words quoted as
// shells do where that is needed.
bool is_nbd_name(std::string_view name);

struct NbdName {
  std::string text;                  // for messages
  std::vector<std::string> command;  // to start; empty: there is a URI, `text`
  // Of a URI:
  bool has_tls = false;
  std::string host{};                    // empty: not reached by the name of a host
  std::vector<std::string> tls_files{};  // that the URI names
};
// Throws Errc::refused for a command without an end, or without a word.
NbdName parse_nbd_name(const std::string& name);

// The name of a disk on the server that the words start.
std::string name_of_command(std::span<const std::string> words);

// The same URI with an address in place of the host's name.
std::string with_address(const std::string& uri, const std::string& address);

// The files that are read for each new connection to the disk of this name (any other, too), by libraries as
// well; they need not exist.
std::vector<std::string> files_for_connecting(const std::string& name);

// Whether both name one disk for certain.
bool is_same_disk(const std::string& a, const std::string& b);

}  // namespace e2qcow::nbd
