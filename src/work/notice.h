// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

namespace e2qcow::work {

// Is told what the user should know although it is no error; a line without its end.
using Notice = std::function<void(const std::string&)>;

inline void ignore_notice(const std::string& /*line*/) {}

}  // namespace e2qcow::work
