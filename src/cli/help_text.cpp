// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/help_text.h"

#include <sstream>

namespace e2qcow::cli {
namespace {

constexpr std::size_t kColumns = 80;

// CLI11 indents what follows a newline.
std::string wrapped(const std::string& text, std::size_t columns) {
  std::istringstream words(text);
  std::string lines;
  std::size_t length = 0;
  for (std::string word; words >> word; length += word.size() + 1) {
    if (length + word.size() > columns) length = 0;
    if (!lines.empty()) lines += length == 0 ? '\n' : ' ';
    lines += word;
  }
  return lines;
}

}  // namespace

HelpText::HelpText() {
  label("TEXT", "");
  label("REQUIRED", "");
  label("Excludes", "not with");
  label("SUBCOMMAND", "COMMAND");
}

std::string HelpText::make_description(const CLI::App* command) const {
  return wrapped(command->get_description(), kColumns) + '\n';
}

std::string HelpText::make_option_desc(const CLI::Option* option) const {
  return wrapped(CLI::Formatter::make_option_desc(option), kColumns - get_column_width());
}

std::string HelpText::make_subcommand(const CLI::App* command) const {
  std::ostringstream out;
  CLI::detail::format_help(out, command->get_name(),
                           wrapped(command->get_description(), kColumns - get_column_width()),
                           get_column_width());
  return out.str();
}

}  // namespace e2qcow::cli
