// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "image/dump_record.h"

namespace e2qcow::cli {

// The bytes of each class of blocks, largest first.
std::string class_table(std::span<const DumpRecord::ClassBytes> classes);
nlohmann::ordered_json classes_json(std::span<const DumpRecord::ClassBytes> classes);

}  // namespace e2qcow::cli
