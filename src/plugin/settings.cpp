// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/settings.h"

namespace e2qcow::plugin {

Settings& settings() {
  static Settings settings;
  return settings;
}

}  // namespace e2qcow::plugin
