// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// What must survive a power failure once a file is committed or flushed.
enum class Durability {
  none,            // the kernel writes when it likes
  if_it_replaces,  // synced if an older file or a device is overwritten, as the old contents are lost then
  synced,          // always
};

}  // namespace e2qcow
