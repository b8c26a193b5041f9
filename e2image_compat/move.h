// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "e2image_compat/options.h"

namespace e2qcow::compat {

// e2image -ra -o FROM -O TO DEVICE: moves the blocks in use to another offset of the device or file, also
// where the old place and the new one overlap. The first signal that asks for the end is obeyed while the old
// place is whole; after that it is answered by a warning, and the second one ends the program. Returns the
// exit status.
int move_filesystem(const Options& options);

}  // namespace e2qcow::compat
