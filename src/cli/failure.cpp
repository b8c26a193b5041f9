// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/failure.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/passing.h"
#include "base/process/stop_signals.h"
#include "cli/hints.h"
#include "cli/message.h"

namespace e2qcow::cli {
namespace {

bool was_interrupted(const std::exception& error) {
  const auto* failure = dynamic_cast<const std::system_error*>(&error);
  return failure != nullptr && failure->code() == Errc::interrupted;
}

// If an image was to go to standard output, nothing else does.
bool wants_json(const CLI::App& command) {
  const CLI::Option* json = command.get_option_no_throw("--json");
  const CLI::Option* output = command.get_option_no_throw("--output");
  const CLI::Option* image = command.get_option_no_throw("IMAGE");
  const bool takes_image = command.get_name() == "dump" && image->results() == CLI::results_t{"-"};
  const bool is_named = output != nullptr && output->results() == CLI::results_t{kJsonOutput};
  return json != nullptr && (json->count() > 0 || is_named) && !takes_image;
}

void report(const CLI::App* command, const std::string& text, int status) {
  say("{}\n", text);
  if (command == nullptr || !wants_json(*command)) return;
  fmt::print("{}\n", nlohmann::ordered_json{{"error", text}, {"status", status}}.dump(2));
  std::fflush(stdout);
}

}  // namespace

int report_usage_error(const CLI::App& app, const std::string& text) {
  const auto commands = app.get_subcommands();
  const CLI::App* command = commands.empty() ? nullptr : commands.front();
  const std::string name = command == nullptr ? "" : command->get_name();
  const bool has_results = name == "check" || name == "verify";  // where 2 is the worst of them
  const int status = has_results ? kFailed : kUsage;
  report(command, text, status);
  return status;
}

int report_failure(const std::exception& error, const CLI::App& command, const Chosen& chosen) {
  const bool interrupted = was_interrupted(error);
  const int status = interrupted       ? 128 + stop_signal()
                     : may_pass(error) ? chosen.if_may_pass
                                       : chosen.if_failed;
  report(&command, "e2qcow: " + error_text(error, command), status);
  if (interrupted) end_by_stop_signal();
  return status;
}

}  // namespace e2qcow::cli
