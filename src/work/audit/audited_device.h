// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "work/device.h"

namespace e2qcow::work {

// The same options; but if `path` is a qcow2 image, say a dump that is not anonymised, its disk is the
// device.
DeviceOptions or_disk_of_image(DeviceOptions options);

}  // namespace e2qcow::work
