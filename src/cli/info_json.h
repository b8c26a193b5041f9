// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "work/info.h"

namespace e2qcow::cli {

// The output of `info --json` for the image at `path`.
nlohmann::ordered_json info_json(const std::string& path, const work::Info& info);

}  // namespace e2qcow::cli
