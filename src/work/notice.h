// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

namespace e2qcow::work {

// Receives messages for the user that are not errors: one line each, without the newline.
using Notice = std::function<void(const std::string&)>;

inline void ignore_notice(const std::string& /*line*/) {}

}  // namespace e2qcow::work
