// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "qcow2/check/image_check.h"

namespace e2qcow::qcow2 {

// Decodes every compressed cluster of the active state. What tables are wrong about is left to those who
// check them.
void check_data(ImageCheck& image, unsigned threads);

}  // namespace e2qcow::qcow2
