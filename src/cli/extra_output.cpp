// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/extra_output.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <filesystem>

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
  work::refuse_replacing_shown(path);
  std::error_code none;
  if (std::filesystem::is_block_file(path, none))
    fail(Errc::refused, path + ": is a block device; the text would replace what is on it");
  file_ = std::make_unique<OutputFile>(path);
}

}  // namespace e2qcow::cli
