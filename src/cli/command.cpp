// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/process/cores.h"
#include "cli/completion/words.h"
#include "cli/sizes.h"

namespace e2qcow::cli {

CLI::Validator one_of(const std::vector<std::string>& words) {
  const auto check = [words](const std::string& text) {
    const bool is_known = std::ranges::find(words, text) != words.end();
    return is_known ? "" : fmt::format("'{}' is not one of {}", text, fmt::join(words, ", "));
  };
  return proposing(CLI::Validator(check, ""), words);
}

void add_json_option(CLI::App& command, Common& common) {
  auto* json = command.add_flag("--json", common.json, "Print the result as JSON on standard output");
  command
      .add_option_function<std::string>(
          "--output", [&common](const std::string& format) { common.json = format == kJsonOutput; },
          "json for --json, as with qemu-img; or human")
      ->type_name("FORMAT")
      ->check(one_of({"human", kJsonOutput}))
      ->excludes(json);
}

void add_threads_option(CLI::App& command, Common& common) {
  add_number_option(command, "--threads", common.threads, {1, 256},
                    "Number of threads (default: one for each core that it may use)")
      ->type_name("N");
}

void add_progress_options(CLI::App& command, Common& common) {
  static const std::map<std::string, ProgressMode> kModes{{"auto", ProgressMode::automatic},
                                                          {"always", ProgressMode::always},
                                                          {"never", ProgressMode::never},
                                                          {"json", ProgressMode::json}};
  command.add_flag("-q,--quiet", common.quiet, "Print only errors and losses");
  auto* when =
      command
          .add_option_function<std::string>(
              "--progress", [&common](const std::string& mode) { common.progress = kModes.at(mode); },
              "Show progress on standard error: auto (on a terminal; default), always, never, or json (a "
              "line a second)")
          ->type_name("WHEN")
          ->check(one_of({"auto", "always", "never", "json"}));
  command
      .add_flag_callback(
          "-p", [&common] { common.progress = ProgressMode::always; }, "The same as --progress=always")
      ->excludes(when);
  add_threads_option(command, common);
}

unsigned thread_count(const Common& common) {
  if (common.threads != 0) return common.threads;
  return usable_cores();
}

}  // namespace e2qcow::cli
