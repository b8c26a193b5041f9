// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/process/sandbox.h"
#include "cli/command.h"
#include "cli/differences.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/remote_options.h"
#include "cli/sizes.h"
#include "nbd/nbd_name.h"

namespace e2qcow::cli {
namespace {

using work::CompareResult;

struct CompareOptions {
  work::ImageOptions a{.notice = say_line};
  work::ImageOptions b{.notice = say_line};
  std::vector<std::string> data_files{};
  bool strict = false;
  bool everything = false;
  bool list = false;
  Common common;
};

CompareResult compare_disks(const CompareOptions& options) {
  if (options.a.path == "-" && options.b.path == "-")
    throw CLI::ValidationError("A and B: only one of them can be standard input");
  work::DiskFiles a(options.a);
  work::DiskFiles b(options.b);
  qcow2::DataFiles data_files(options.data_files);
  auto for_connecting = nbd::files_for_connecting(options.a.path);
  std::ranges::copy(nbd::files_for_connecting(options.b.path), std::back_inserter(for_connecting));
  give_up_rights({}, for_connecting);
  return with_progress(options.common, [&](const TransferOptions& transfer) {
    const auto what =
        options.everything ? work::CompareWhat::everything : work::CompareWhat::what_a_dump_holds;
    const auto depth = options.list ? work::CompareDepth::all : work::CompareDepth::first_difference;
    return work::compare(std::move(a), std::move(b), std::move(data_files), what, depth, transfer);
  });
}

void print_json(const CompareOptions& options, const CompareResult& result, bool same) {
  nlohmann::ordered_json json{{"a", printable(options.a.path)},
                              {"b", printable(options.b.path)},
                              {"same", same},
                              {"size-a", result.size_a},
                              {"size-b", result.size_b},
                              {"everything", result.dump.empty()}};
  if (result.first_difference) json["first-difference"] = *result.first_difference;
  if (!result.structure.empty()) json["structure"] = result.structure;
  if (result.list) add_list_json(json, *result.list);
  fmt::print("{}\n", json.dump(2));
}

void print_text(const CompareResult& result, bool same) {
  if (result.size_a != result.size_b)
    fmt::print(
        "The sizes differ: {} and {} bytes{}\n", result.size_a, result.size_b,
        result.first_difference || !result.dump.empty() ? "" : "; the rest of the larger disk is zeros");
  if (result.first_difference)
    fmt::print("The disks differ, first at {}{}\n", *result.first_difference,
               result.structure.empty() ? "" : " (" + result.structure + ")");
  else if (same)
    fmt::print("The disks are the same{}\n",
               result.dump.empty() ? "" : " in what " + printable(result.dump) + " holds");
  for (const std::string& name : result.dump.empty() ? result.partial : std::vector<std::string>())
    fmt::print("{} is a metadata-only dump: its files read as zeros\n", printable(name));
  if (result.list) print_list(*result.list);
}

int run_compare(const CompareOptions& options) {
  const CompareResult result = compare_disks(options);
  const bool same = !result.first_difference && (!options.strict || result.size_a == result.size_b);
  if (options.common.json)
    print_json(options, result, same);
  else if (!options.common.quiet)
    print_text(result, same);
  return same ? kDone : kDifferent;
}

}  // namespace

void add_compare(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare",
      "Compare two disks, each in an image, a file or a device (exit 0: same, 1: different, 2: error)");
  command
      ->add_option(
          "A", options->a.path,
          "A disk: a qcow2 image, raw file or device (FILE:raw or FILE:qcow2 names the format), or one on an "
          "NBD server")
      ->required();
  command->add_option("B", options->b.path, "The other disk")->required();
  command->add_flag("-s,--strict", options->strict,
                    "Disks of different sizes are different, even if the rest is zeros");
  command->add_flag(
      "-l,--list", options->list,
      "List all that differs: by class, and the files whose inodes, directories or contents do");
  command->add_flag("--everything", options->everything,
                    "Compare a dump with another disk as a whole, and not only in what the dump holds");
  add_no_verify_option(*command, options->a);
  add_backing_option(*command, "--backing-a", options->a);
  add_backing_option(*command, "--backing-b", options->b);
  add_data_file_option(*command, options->data_files);
  add_limit_options(*command, options->a);
  add_remote_options(*command, options->a.remote);
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow compare sdb1.qcow2 /dev/sdb1");
  command->callback([options, &chosen] {
    options->b.max_size = options->a.max_size;
    options->b.max_ratio = options->a.max_ratio;
    options->b.verify = options->a.verify;
    options->b.remote = options->a.remote;
    chosen.has_own_statuses(kTrouble);
    chosen.run = [options] { return run_compare(*options); };
  });
}

}  // namespace e2qcow::cli
