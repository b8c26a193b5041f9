// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/progress.h"

namespace e2qcow::cli {

// Exit statuses, as the man page says.
enum Exit {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kWithLosses = 3,
  kCorruptions = 2,  // of check
  kLeaks = 3,
  kDifferent = 1,  // of compare
  kTrouble = 2,
};

// What every command has.
struct Common {
  bool json = false;
  bool quiet = false;
  ProgressMode progress = ProgressMode::automatic;
  unsigned threads = 0;  // 0: one for each core
};

// The command the user asked for; it returns the exit status.
using Chosen = std::function<int()>;

void add_dump(CLI::App& app, Chosen& chosen);
void add_restore(CLI::App& app, Chosen& chosen);
void add_info(CLI::App& app, Chosen& chosen);
void add_check(CLI::App& app, Chosen& chosen);
void add_map(CLI::App& app, Chosen& chosen);
void add_compare(CLI::App& app, Chosen& chosen);
void add_measure(CLI::App& app, Chosen& chosen);
void add_exec(CLI::App& app, Chosen& chosen);

void add_json_option(CLI::App& command, Common& common);
void add_threads_option(CLI::App& command, Common& common);
// And the threads.
void add_progress_options(CLI::App& command, Common& common);
unsigned thread_count(const Common& common);

}  // namespace e2qcow::cli
