// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "qcow2/check/image_check.h"
#include "qcow2/check/mapping_check.h"

namespace e2qcow::qcow2 {

// Counts the references to the snapshot table and hands the L1 tables of the snapshots to `mappings`.
void add_snapshots(ImageCheck& image, MappingCheck& mappings);

}  // namespace e2qcow::qcow2
