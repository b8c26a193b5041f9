// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace e2qcow::cli {

// Formats --help for 80 columns, without the parser's names for types.
class HelpText : public CLI::Formatter {
 public:
  HelpText();
  std::string make_description(const CLI::App* command) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace e2qcow::cli
