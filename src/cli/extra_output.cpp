// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/extra_output.h"

#include <e2qcow/error.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/storage.h"

namespace e2qcow::cli {

void refuse_output_on_input(const DeviceInput& input, const std::string& path) {
  const bool to_pipe = path == "-";
  const std::string name = to_pipe ? "standard output" : path;
  const auto target = to_pipe ? stored_ranges(STDOUT_FILENO) : stored_ranges(path);
  if (overlap(input.storage(), target))
    fail(Errc::refused,
         fmt::format("{}: is stored where {} is, which is only to be read", name, input.file().name()));
  if (overlap(input.storage(), to_pipe ? ranges_under(STDOUT_FILENO) : ranges_under(path)))
    fail(Errc::refused,
         fmt::format("{}: would be stored on {}, which is only to be read; write it to another disk", name,
                     input.file().name()));
}

ExtraOutput::ExtraOutput(const DeviceInput& input, const std::string& path,
                         const std::vector<std::string>& others) {
  if (path.empty()) return;
  for (const std::string& other : others)
    if (!other.empty() && is_same_name(path, other))
      fail(Errc::refused, fmt::format("{}: cannot be two outputs at once", path));
  refuse_output_on_input(input, path);
  file_ = std::make_unique<OutputFile>(path);
}

}  // namespace e2qcow::cli
