// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>

#include "base/process/standard_descriptors.h"
#include "base/process/stop_signals.h"
#include "cli/command.h"
#include "cli/command_words.h"
#include "cli/failure.h"
#include "cli/help_text.h"
#include "cli/message.h"
#include "cli/remote_options.h"
#include "cli/sizes.h"
#include "nbd/open_nbd.h"

namespace {

// CLI11's text without its capital letter, unless that is the name of an operand.
std::string text_of(const CLI::ParseError& error, bool has_command) {
  if (!has_command && error.get_name() == "RequiredError") return "a command is required";
  std::string text = error.what();
  if (const auto twice = text.find(": At Most 1 required"); twice != std::string::npos)
    return e2qcow::printable(text.substr(0, twice)) + ": is given more than once";
  if (text.starts_with("The ") || text.starts_with("Could "))
    text[0] = static_cast<char>(std::tolower(text[0]));
  return e2qcow::printable(text);
}

// For an option that does not exist, which the text ends with.
std::string suggestion_for(const CLI::App& app, const CLI::ParseError& error, const std::string& text) {
  const auto commands = app.get_subcommands();
  const std::string word = text.substr(text.rfind(' ') + 1);
  const bool is_unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (commands.empty() || !is_unknown || !word.starts_with("--")) return "";
  return e2qcow::cli::suggestion_for_option(*commands[0], word);
}

// "e2qcow dump: IMAGE is required; see e2qcow dump --help"
std::string usage_text(const CLI::App& app, const CLI::ParseError& error) {
  const auto commands = app.get_subcommands();
  const std::string name = commands.empty() ? "e2qcow" : "e2qcow " + commands[0]->get_name();
  const std::string text = text_of(error, !commands.empty());
  return fmt::format("{}: {}{}; see {} --help", name, text, suggestion_for(app, error, text), name);
}

// A variable of a script that is not set must not pass for an option that is not given. The words of a
// program to run may be empty.
void refuse_empty_values(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const auto& values = option->results();
    const bool is_a_list = option->get_positional() && option->get_items_expected_max() > 1;
    if (!is_a_list && std::ranges::find(values, "") != values.end())
      throw CLI::ValidationError(option->get_name() + ": its value is empty");
  }
}

void add_commands(CLI::App& app, e2qcow::cli::Chosen& chosen) {
  e2qcow::cli::add_dump(app, chosen);
  e2qcow::cli::add_restore(app, chosen);
  e2qcow::cli::add_info(app, chosen);
  e2qcow::cli::add_check(app, chosen);
  e2qcow::cli::add_map(app, chosen);
  e2qcow::cli::add_compare(app, chosen);
  e2qcow::cli::add_measure(app, chosen);
  e2qcow::cli::add_exec(app, chosen);
  e2qcow::cli::add_audit(app, chosen);
  e2qcow::cli::add_completion(app, chosen);
  e2qcow::cli::add_verify(app, chosen);
}

int run_command(const CLI::App& app, const e2qcow::cli::Chosen& chosen) {
  try {
    const int status = chosen.run();
    if (std::fflush(stdout) != 0) e2qcow::fail_errno("standard output");
    return status;
  } catch (const CLI::ParseError&) {  // options that do not go together
    throw;
  } catch (const std::exception& error) {
    return e2qcow::cli::report_failure(error, *app.get_subcommands().front(), chosen);
  }
}

std::string version_text() {
  const std::string library = e2qcow::nbd::nbd_library();
  return "e2qcow " E2QCOW_VERSION "\n" + (library.empty() ? "without NBD" : "with NBD (" + library + ")");
}

void parse(CLI::App& app, int argc, char** argv) {
  auto words = e2qcow::cli::understood_words(app, {argv + std::min(argc, 1), argv + argc});
  words = e2qcow::cli::with_joined_brackets(words);
  std::ranges::reverse(words);  // as CLI11 wants them
  app.parse(words);
}

int run(int argc, char** argv) {
  CLI::App app(
      "Dump ext2/3/4 file systems to qcow2 images that hold only the blocks that matter, and restore them.",
      "e2qcow");
  app.formatter(std::make_shared<e2qcow::cli::HelpText>());
  app.set_version_flag("-V,--version", version_text());
  app.require_subcommand(1);
  app.footer("See e2qcow(8), and e2qcow help COMMAND for an example of each command.");
  e2qcow::cli::Chosen chosen;
  add_commands(app, chosen);
  try {
    parse(app, argc, argv);
    refuse_empty_values(*app.get_subcommands().front());
    return run_command(app, chosen);
  } catch (const CLI::Success& help) {
    app.exit(help);
    return std::cout.flush() ? e2qcow::cli::kDone : e2qcow::cli::kFailed;
  } catch (const CLI::ParseError& error) {
    return e2qcow::cli::report_usage_error(app, usage_text(app, error));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    e2qcow::open_standard_descriptors();
    e2qcow::stop_on_signals();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a write past the limit fails with EFBIG, with our message
    return run(argc, argv);
  } catch (const std::exception& error) {
    e2qcow::cli::say("e2qcow: {}\n", e2qcow::printable(error.what()));
    return e2qcow::cli::kFailed;
  }
}
