// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <map>
#include <thread>

namespace e2qcow::cli {

void add_json_option(CLI::App& command, Common& common) {
  command.add_flag("--json", common.json, "Print the result as JSON on standard output");
}

void add_threads_option(CLI::App& command, Common& common) {
  command.add_option("--threads", common.threads, "Number of threads (default: one per core)")
      ->type_name("N")
      ->check(CLI::Range(1U, 256U).description(""));
}

void add_progress_options(CLI::App& command, Common& common) {
  static const std::map<std::string, ProgressMode> kModes{{"auto", ProgressMode::automatic},
                                                          {"always", ProgressMode::always},
                                                          {"never", ProgressMode::never},
                                                          {"json", ProgressMode::json}};
  command.add_flag("-q,--quiet", common.quiet, "Print only errors and losses");
  command
      .add_option("--progress", common.progress,
                  "Show progress on standard error: auto (on a terminal; default), always, never, or json (a "
                  "line a second)")
      ->type_name("WHEN")
      ->transform(CLI::CheckedTransformer(kModes).description(""));
  add_threads_option(command, common);
}

unsigned thread_count(const Common& common) {
  if (common.threads != 0) return common.threads;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace e2qcow::cli
