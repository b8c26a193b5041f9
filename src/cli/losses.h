#pragma once

#include "base/salvaging_file.h"
#include "ext2/findings.h"

namespace e2qcow::cli {

// Says on standard error what could not be read or was not consistent, in at most 20 lines or so.
void print_losses(const SalvagingFile& file, const ext2::Findings& findings);

}  // namespace e2qcow::cli
