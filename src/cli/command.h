// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cli/progress.h"

namespace e2qcow::cli {

// Exit statuses, as in the manual page.
enum Exit {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kWithLosses = 3,
  kMayPass = 4,      // failed; may succeed when it is repeated
  kCorruptions = 2,  // of check
  kLeaks = 3,
  kDifferent = 1,  // of compare
  kLeaked = 1,     // of audit
  kTrouble = 2,
  kDiffers = 2,   // of verify
  kNotKnown = 4,  // the same
};

// The options common to all commands.
struct Common {
  bool json = false;
  bool quiet = false;
  ProgressMode progress = ProgressMode::automatic;
  unsigned threads = 0;  // 0: one for each core that it may use
};

// The command that the user named.
struct Chosen {
  std::function<int()> run{};  // returns the exit status
  int if_failed = kFailed;     // the exit status if it throws
  // The same for errors that may pass. Commands whose statuses are about what they find, or those of another
  // program, do not have it.
  int if_may_pass = kMayPass;

  void has_own_statuses(int failed) { if_failed = if_may_pass = failed; }
};

void add_dump(CLI::App& app, Chosen& chosen);
void add_restore(CLI::App& app, Chosen& chosen);
void add_info(CLI::App& app, Chosen& chosen);
void add_check(CLI::App& app, Chosen& chosen);
void add_map(CLI::App& app, Chosen& chosen);
void add_compare(CLI::App& app, Chosen& chosen);
void add_measure(CLI::App& app, Chosen& chosen);
void add_exec(CLI::App& app, Chosen& chosen);
void add_audit(CLI::App& app, Chosen& chosen);
void add_completion(CLI::App& app, Chosen& chosen);
void add_verify(CLI::App& app, Chosen& chosen);

inline constexpr const char* kJsonOutput = "json";  // value of --output

// Checks that a value is one of these words.
CLI::Validator one_of(const std::vector<std::string>& words);

void add_json_option(CLI::App& command, Common& common);
void add_threads_option(CLI::App& command, Common& common);
// Also adds the threads option.
void add_progress_options(CLI::App& command, Common& common);
unsigned thread_count(const Common& common);

// Returns work(options), with threads and progress as the user wants them. The bar is gone afterwards.
template <typename Work>
auto with_progress(const Common& common, Work work) {
  const auto progress = make_progress(common.progress, common.quiet);
  return work(TransferOptions{thread_count(common), progress.get()});
}

}  // namespace e2qcow::cli
