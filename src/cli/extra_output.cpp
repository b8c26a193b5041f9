// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/extra_output.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/storage.h"
#include "work/refusals.h"

namespace e2qcow::cli {

ExtraOutput::ExtraOutput(const work::Device& device, const std::string& path,
                         const std::vector<std::string>& others) {
  if (path.empty()) return;
  for (const std::string& other : others)
    if (!other.empty() && is_same_name(path, other))
      fail(Errc::refused, fmt::format("{}: is given for two outputs", path));
  work::refuse_output_on_input(path, device.stored());
  file_ = std::make_unique<OutputFile>(path);
}

}  // namespace e2qcow::cli
