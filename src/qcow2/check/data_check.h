// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "qcow2/check/image_check.h"

namespace e2qcow::qcow2 {

// Decodes every compressed cluster of the active state. Errors in tables are left to the check of the tables.
void check_data(ImageCheck& image, unsigned threads);

}  // namespace e2qcow::qcow2
