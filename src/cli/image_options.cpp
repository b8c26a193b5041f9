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

void add_data_file_option(CLI::App& command, std::vector<std::string>& files) {
  command
      .add_option("--data-file", files,
                  "External data file; repeat if several images have one, from the top down. Names stored in "
                  "images are never opened")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void add_no_verify_option(CLI::App& command, work::ImageOptions& options) {
  command.add_flag_callback(
      "--no-verify", [&options] { options.verify = false; },
      "Read the image as it is, even where its digests show that its data is not what was written");
}

void add_limit_options(CLI::App& command, work::ImageOptions& options) {
  add_size_option(command, "--max-size", options.max_size, "Refuse images of larger disks (default: 1P)")
      ->type_name("SIZE");
  add_number_option(
      command, "--max-ratio", options.max_ratio, {1, std::uint64_t{1} << 40},
      "Refuse images whose compressed data claims more than N times the size of the file (default: 4096)")
      ->type_name("N");
}

void add_image_options(CLI::App& command, work::ImageOptions& options) {
  command.add_option("IMAGE", options.path, "The qcow2 image (-: standard input)")->required();
  add_backing_option(command, "--backing", options);
  add_data_file_option(command, options.data_files);
  add_limit_options(command, options);
}

}  // namespace e2qcow::cli
