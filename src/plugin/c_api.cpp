// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/io_manager.h>

#include "plugin/guard.h"
#include "plugin/settings.h"

namespace e2qcow::plugin {
namespace {

thread_local std::string last_message;

}  // namespace

void remember_error(const std::exception& error, const std::error_code& code) noexcept {
  try {
    last_message = error.what();
    settings().say(last_message + settings().hint(code));
  } catch (const std::exception&) {
    last_message.clear();
  }
}

}  // namespace e2qcow::plugin

using e2qcow::plugin::guarded;
using e2qcow::plugin::Settings;
using e2qcow::plugin::settings;

errcode_t e2qcow_set_overlay(const char* path) {
  return guarded([&] {
    settings().overlays.clear();
    if (path != nullptr && *path != '\0') settings().overlays.push_back({"", path});
  });
}

errcode_t e2qcow_add_backing(const char* file) {
  return guarded([&] {
    if (file == nullptr)
      settings().backing.clear();
    else
      settings().backing.emplace_back(file);
  });
}

void e2qcow_set_cache_size(unsigned long long bytes) {
  settings().cache_bytes = bytes == 0 ? Settings::kDefaultCacheBytes : bytes;
}

const char* e2qcow_last_message(void) {
  return e2qcow::plugin::last_message.c_str();
}
