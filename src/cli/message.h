// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

#include "base/printable.h"

namespace e2qcow::cli {

// Prints a message to standard error. A failure to print must not change what the program does.
template <typename... Args>
void say(fmt::format_string<Args...> text, Args&&... args) {
  std::fputs(fmt::format(text, std::forward<Args>(args)...).c_str(), stderr);
}

// A line of text that may contain untrusted names.
inline void say_line(const std::string& line) {
  say("{}\n", printable(line));
}

}  // namespace e2qcow::cli
