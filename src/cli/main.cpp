// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>

#include "base/process/standard_descriptors.h"
#include "base/process/stop_signals.h"
#include "cli/command.h"
#include "cli/help_text.h"
#include "cli/hints.h"
#include "cli/message.h"
#include "cli/sizes.h"

namespace {

bool has_command(const CLI::App& app, const std::string& name) {
  const auto commands =
      app.get_subcommands([&](const CLI::App* command) { return command->check_name(name); });
  return !commands.empty();
}

int run(int argc, char** argv) {
  CLI::App app(
      "Dump ext2/3/4 file systems to qcow2 images that hold only the blocks that matter, and restore them.",
      "e2qcow");
  app.formatter(std::make_shared<e2qcow::cli::HelpText>());
  app.set_version_flag("--version", "e2qcow " E2QCOW_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
    const CLI::Error printed(error.get_name(), e2qcow::printable(error.what()), error.get_exit_code());
    return CLI::FailureMessage::simple(failed, printed);
  });
  app.footer("See e2qcow(8), and e2qcow COMMAND --help for an example of each command.");
  e2qcow::cli::Chosen chosen;
  e2qcow::cli::add_dump(app, chosen);
  e2qcow::cli::add_restore(app, chosen);
  e2qcow::cli::add_info(app, chosen);
  e2qcow::cli::add_check(app, chosen);
  e2qcow::cli::add_map(app, chosen);
  e2qcow::cli::add_compare(app, chosen);
  e2qcow::cli::add_measure(app, chosen);
  e2qcow::cli::add_exec(app, chosen);
  const bool names_a_command = argc > 1 && argv[1][0] != '-' && argv[1][0] != '\0';
  if (names_a_command && !has_command(app, argv[1])) {
    e2qcow::cli::say("e2qcow: there is no command '{}'; see e2qcow --help\n", e2qcow::printable(argv[1]));
    return e2qcow::cli::kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error) == 0 ? e2qcow::cli::kDone : e2qcow::cli::kUsage;
    return std::cout.flush() ? status : e2qcow::cli::kFailed;
  }
  int status = chosen.if_failed;
  try {
    status = chosen.run();
  } catch (const CLI::ParseError& error) {  // options that do not go together
    e2qcow::cli::say("e2qcow: {}\n", e2qcow::printable(error.what()));
    return e2qcow::cli::kUsage;
  } catch (const std::exception& error) {
    e2qcow::cli::say_error(error, *app.get_subcommands().front());
    return status;
  }
  if (std::fflush(stdout) != 0) {
    std::perror("e2qcow: standard output");
    return e2qcow::cli::kFailed;
  }
  return status;
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
