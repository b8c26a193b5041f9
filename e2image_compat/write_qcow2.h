// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "e2image_compat/options.h"

namespace e2qcow::compat {

// e2image -Q: the chosen blocks in a qcow2 image. Returns the exit status.
int write_qcow2(const Options& options);

}  // namespace e2qcow::compat
