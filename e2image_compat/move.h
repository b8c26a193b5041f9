// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "e2image_compat/options.h"

namespace e2qcow::compat {

// e2image -ra -o FROM -O TO DEVICE: moves the blocks in use to another offset of the device or file, even if
// the old range and the new one overlap. A signal to stop is obeyed as long as the old range is whole; after
// that the first one is answered with a warning, and the second one ends the program. Returns the exit
// status.
int move_filesystem(const Options& options);

}  // namespace e2qcow::compat
