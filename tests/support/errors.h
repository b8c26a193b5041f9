// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <system_error>

namespace e2qcow {

// The result of an action: no error if it succeeded.
struct Ending {
  std::error_code code;
  std::string text;
};

inline Ending ending_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::system_error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

// The code that an action throws; no error if it does not throw.
inline std::error_code code_of(const std::function<void()>& action) {
  return ending_of(action).code;
}

}  // namespace e2qcow
