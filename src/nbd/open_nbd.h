// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <memory>
#include <string>

#include "nbd/options.h"

namespace e2qcow::nbd {

enum class Access { read, write };

// Opens a disk by a name for which is_nbd_name() is true. Does all for which a program needs rights: starts
// the command, finds addresses, connects. Threads that read and write are started with the first request.
// Throws Errc::connection_lost where another attempt may succeed; Errc::refused for what the server will not
// do, or does wrong, or where writing is not possible, and if this program cannot speak the protocol.
std::unique_ptr<File> open_nbd(const std::string& name, Access access, const Options& options);

// The library that speaks it, as "libnbd 1.14.2"; empty if there is none.
std::string nbd_library();

}  // namespace e2qcow::nbd
