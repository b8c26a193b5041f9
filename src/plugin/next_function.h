// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <dlfcn.h>

namespace e2qcow::plugin {

// The function of another library that ours replaces.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace e2qcow::plugin
