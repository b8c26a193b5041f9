// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/image_options.h"

#include "cli/sizes.h"

namespace e2qcow::cli {

void add_backing_option(CLI::App& command, const std::string& name, work::ImageOptions& options) {
  command
      .add_option(name, options.backing,
                  "Backing file of the image; repeat for its own backing file, and so on. Names stored in "
                  "images are never opened")
      ->type_name("FILE[:raw|qcow2]")
      ->allow_extra_args(false);
}

void add_limit_options(CLI::App& command, work::ImageOptions& options) {
  command
      .add_option_function<std::string>(
          "--max-size", [&options](const std::string& text) { options.max_size = parse_size(text); },
          "Refuse images of larger disks (default: 1P)")
      ->type_name("SIZE");
  command
      .add_option(
          "--max-ratio", options.max_ratio,
          "Refuse images whose compressed data claims more than N times the size of the file (default: 4096)")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40).description(""));
}

void add_image_options(CLI::App& command, work::ImageOptions& options) {
  command.add_option("IMAGE", options.path, "The qcow2 image (-: standard input)")->required();
  add_backing_option(command, "--backing", options);
  add_limit_options(command, options);
}

}  // namespace e2qcow::cli
