// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "e2image_compat/options.h"

namespace e2qcow::compat {

// e2image -r: the chosen blocks at their offsets in a raw disk. Returns the exit status.
int write_raw(const Options& options);

}  // namespace e2qcow::compat
