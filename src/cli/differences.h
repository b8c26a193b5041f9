// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include "work/differences.h"

namespace e2qcow::cli {

// What differs between two disks, for users.
void print_list(const work::Differences& differences);
// Adds the members "different-bytes", "coarse", "differences", "classes" and "files".
void add_list_json(nlohmann::ordered_json& json, const work::Differences& differences);

}  // namespace e2qcow::cli
