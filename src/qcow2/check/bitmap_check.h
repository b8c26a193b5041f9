// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "qcow2/check/image_check.h"

namespace e2qcow::qcow2 {

// Counts the references to the bitmap directory, the bitmap tables and the bitmaps' data.
void add_bitmaps(ImageCheck& image);

}  // namespace e2qcow::qcow2
