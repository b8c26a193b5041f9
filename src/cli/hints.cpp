// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/hints.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/printable.h"
#include "plugin/file_hints.h"
#include "work/device.h"

namespace e2qcow::cli {
namespace {

struct Hint {
  Errc code;
  const char* option;  // the command must have it
  const char* text;
};

constexpr Hint kHints[] = {
    {Errc::missing_backing, "--backing-a",
     "name it with --backing-a or --backing-b FILE:raw or FILE:qcow2 if you trust it"},
    {Errc::unknown_format, "--backing-a",
     "name the format with --backing-a or --backing-b FILE:raw or FILE:qcow2"},
    {Errc::ambiguous, "A", "choose one with FILE:qcow2 or FILE:raw"},
    {Errc::missing_data_file, "--data-file", plugin::kDataFileHint},
    {Errc::implausible, "--max-ratio", "--max-ratio N accepts it"},
    {Errc::too_large, "--max-size", "--max-size SIZE accepts it"},
    {Errc::mounted, "--force",
     "unmount it or remount it read-only (mount -o remount,ro), or use --force for a dump that may be "
     "inconsistent"},
    {Errc::unknown_mounts, "--force", "--force continues"},
    {Errc::not_ext2, "--force", "--force dumps what else can be recognised"},
    {Errc::has_partitions, "--partition", "name one with --partition N"},
    {Errc::has_partitions, "--replace-partitions", "--replace-partitions overwrites it"},
    {Errc::is_device, "--to-device",
     "restore copies an image to a device; --to-device writes the image itself there"},
    {Errc::older_remains, "--force", "use it with -b, or --force"},
    {Errc::metadata_only, "--allow-metadata", "restore it to a file, or use --allow-metadata"},
    {Errc::too_small, "--fit", "use --fit if only the file system must fit"},
    {Errc::wrong_digest, "--no-verify", "verify shows what differs, and --no-verify reads it as it is"},
    {Errc::other_base, "--no-verify", "--no-verify reads it all the same"},
    {Errc::resized, "--force", "--force dumps it all the same"},
    {Errc::small_clusters, "--cluster-size", "use larger ones, or --cluster-size auto"},
};

bool has_use_for(const CLI::App& command, const std::string& name) {
  const CLI::Option* option = command.get_option_no_throw(name);
  if (option == nullptr) return false;
  const bool is_flag = option->get_items_expected_max() == 0;
  return !is_flag || option->count() == 0;
}

}  // namespace

std::string hint_for(const std::error_code& code, const CLI::App& command) {
  if (has_use_for(command, "--backing"))
    if (const std::string hint = plugin::backing_hint(code); !hint.empty()) return hint;
  for (const auto& [known, option, text] : kHints)
    if (code == known && has_use_for(command, option)) return std::string("; ") + text;
  return "";
}

std::string error_text(const std::exception& error, const CLI::App& command) {
  const auto* failure = dynamic_cast<const std::system_error*>(&error);
  std::string hint = failure == nullptr ? "" : hint_for(failure->code(), command);
  if (const auto* elsewhere = dynamic_cast<const work::BeginsElsewhere*>(&error))
    for (const std::uint64_t offset : elsewhere->offsets())
      hint += fmt::format("{}--offset {}", hint.empty() ? "; use " : " or ", offset);
  return printable(error.what()) + hint;
}

}  // namespace e2qcow::cli
