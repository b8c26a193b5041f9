// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/completion/model.h"
#include "cli/completion/words.h"

namespace e2qcow::cli {

void add_completion(CLI::App& app, Chosen& chosen) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Print a script that lets a shell complete the words of e2qcow");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(proposal({"bash", "zsh", "fish"}));
  command->footer("Example: e2qcow completion bash >e2qcow.bash && source e2qcow.bash");
  command->callback([&app, shell, &chosen] {
    chosen.run = [&app, shell] {
      if (*shell != "bash" && *shell != "zsh" && *shell != "fish")
        throw CLI::ValidationError(fmt::format("SHELL: '{}' is not one of bash, zsh, fish", *shell));
      const CompletionModel model = completion_model(app);
      fmt::print("{}", *shell == "bash"  ? bash_completion(model)
                       : *shell == "zsh" ? zsh_completion(model)
                                         : fish_completion(model));
      return kDone;
    };
  });
}

}  // namespace e2qcow::cli
