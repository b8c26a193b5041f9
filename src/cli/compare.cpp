// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/compare.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/process/sandbox.h"
#include "cli/command.h"
#include "cli/disk_classes.h"
#include "cli/disk_input.h"
#include "cli/message.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

struct CompareOptions {
  ImageOptions a;
  ImageOptions b;
  bool strict = false;
  Common common;
};

struct CompareResult {
  std::uint64_t size_a = 0;
  std::uint64_t size_b = 0;
  std::optional<std::uint64_t> first_difference;
  std::string structure;             // where that is, in an ext file system
  std::vector<std::string> partial;  // of the disks, those that are dumps of metadata alone
};

CompareResult compare_disks(const CompareOptions& options) {
  const unsigned threads = thread_count(options.common);
  DiskInput a(options.a);
  DiskInput b(options.b);
  give_up_rights({});
  a.read(threads);
  b.read(threads);
  CompareResult result;
  result.size_a = a.disk().size();
  result.size_b = b.disk().size();
  const auto progress = make_progress(options.common.progress, options.common.quiet);
  if (progress) progress->begin("compare", std::max(result.size_a, result.size_b));
  result.first_difference = first_difference(a.disk(), b.disk(), {threads, progress.get()});
  if (!result.first_difference) return result;
  for (DiskInput* input : {&a, &b}) {
    if (result.structure.empty())
      result.structure = structure_at(input->disk(), input->name(), *result.first_difference, threads);
    if (input->is_metadata_alone()) result.partial.push_back(input->name());
  }
  return result;
}

void print_json(const CompareOptions& options, const CompareResult& result, bool same) {
  nlohmann::ordered_json json{{"a", printable(options.a.path)},
                              {"b", printable(options.b.path)},
                              {"same", same},
                              {"size-a", result.size_a},
                              {"size-b", result.size_b}};
  if (result.first_difference) json["first-difference"] = *result.first_difference;
  if (!result.structure.empty()) json["structure"] = result.structure;
  fmt::print("{}\n", json.dump(2));
}

void print_text(const CompareResult& result, bool same) {
  if (result.size_a != result.size_b)
    fmt::print("The sizes differ: {} and {} bytes{}\n", result.size_a, result.size_b,
               result.first_difference ? "" : "; the rest of the larger disk is zeros");
  if (result.first_difference)
    fmt::print("The disks differ, first at {}{}\n", *result.first_difference,
               result.structure.empty() ? "" : " (" + result.structure + ")");
  else if (same)
    fmt::print("The disks are the same\n");
  for (const std::string& name : result.partial)
    fmt::print("{} is a dump of metadata: the contents of files are zeros in it\n", printable(name));
}

int run_compare(const CompareOptions& options) {
  try {
    const CompareResult result = compare_disks(options);
    const bool same = !result.first_difference && (!options.strict || result.size_a == result.size_b);
    if (options.common.json)
      print_json(options, result, same);
    else if (!options.common.quiet)
      print_text(result, same);
    if (std::fflush(stdout) != 0) fail_errno("standard output");
    return same ? kDone : kDifferent;
  } catch (const std::exception& error) {
    say("e2qcow: {}\n", printable(error.what()));
    return kTrouble;
  }
}

}  // namespace

void add_compare(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare",
      "Compare two disks, each in an image, a file or a device (exit 0: same, 1: different, 2: error)");
  command
      ->add_option("A", options->a.path,
                   "A disk: a qcow2 image, raw file or device (FILE:raw or FILE:qcow2 names the format)")
      ->required();
  command->add_option("B", options->b.path, "The other disk")->required();
  command->add_flag("-s,--strict", options->strict,
                    "Disks of different sizes are different, even if the rest is zeros");
  add_backing_option(*command, "--backing-a", options->a);
  add_backing_option(*command, "--backing-b", options->b);
  add_limit_options(*command, options->a);
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow compare sdb1.qcow2 /dev/sdb1");
  command->callback([options, &chosen] {
    options->b.max_size = options->a.max_size;
    options->b.max_ratio = options->a.max_ratio;
    chosen = [options] { return run_compare(*options); };
  });
}

}  // namespace e2qcow::cli
