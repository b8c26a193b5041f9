// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file/posix_file.h"
#include "base/process/sandbox.h"
#include "base/storage.h"
#include "cli/command.h"
#include "cli/image_options.h"
#include "cli/sizes.h"
#include "qcow2/check/checker.h"
#include "qcow2/read/data_files.h"

namespace e2qcow::cli {
namespace {

struct CheckOptions {
  std::string image;
  std::vector<std::string> data_files;
  bool data = false;
  Common common;
};

void print_json(const CheckOptions& options, const qcow2::CheckResult& result) {
  std::vector<std::string> messages;
  for (const std::string& message : result.messages) messages.push_back(printable(message));
  const nlohmann::ordered_json json{{"filename", printable(options.image)},
                                    {"format", "qcow2"},
                                    {"corruptions", result.corruptions},
                                    {"leaks", result.leaks},
                                    {"messages", messages},
                                    {"suppressed-messages", result.suppressed_messages},
                                    {"image-end-offset", result.image_end_offset},
                                    {"total-clusters", result.total_clusters},
                                    {"allocated-clusters", result.allocated_clusters},
                                    {"compressed-clusters", result.compressed_clusters},
                                    {"fragmented-clusters", result.fragmented_clusters}};
  fmt::print("{}\n", json.dump(2));
}

void print_text(const CheckOptions& options, const qcow2::CheckResult& result) {
  const std::string name = printable(options.image);
  for (const std::string& message : result.messages) fmt::print("{}: {}\n", name, printable(message));
  if (result.suppressed_messages > 0) fmt::print("{}: and {} more\n", name, result.suppressed_messages);
  if (result.corruptions > 0)
    fmt::print("{}: {} corruptions; data may be lost or wrong\n", name, result.corruptions);
  if (result.leaks > 0) fmt::print("{}: {} leaked clusters; only space is lost\n", name, result.leaks);
  if (result.corruptions == 0 && result.leaks == 0) fmt::print("{}: no errors found\n", name);
  fmt::print("{} of {} clusters are allocated, {} of them compressed; the image ends at {}\n",
             result.allocated_clusters, result.total_clusters, result.compressed_clusters,
             result.image_end_offset);
}

int run_check(const CheckOptions& options) {
  const auto file = open_for_reading(options.image);
  const auto stored = stored_ranges(options.image);
  qcow2::DataFiles data_files(options.data_files);
  give_up_rights({});
  const auto data_file = qcow2::data_file_of(*file, stored, std::move(data_files));
  const qcow2::CheckResult result =
      qcow2::check(*file, {options.data, thread_count(options.common), data_file.get()});
  if (options.common.json)
    print_json(options, result);
  else
    print_text(options, result);
  if (result.corruptions > 0) return kCorruptions;
  return result.leaks > 0 ? kLeaks : kDone;
}

}  // namespace

void add_check(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand(
      "check", "Check an image's tables and reference counts (exit 0: clean, 2: corruptions, 3: leaks)");
  command->add_option("IMAGE", options->image, "The qcow2 image")->required();
  command->add_flag("--data", options->data, "Also decode every compressed cluster");
  add_data_file_option(*command, options->data_files);
  add_json_option(*command, options->common);
  add_threads_option(*command, options->common);
  command->footer("Example: e2qcow check sdb1.qcow2");
  command->callback([options, &chosen] {
    chosen.has_own_statuses(kFailed);
    chosen.run = [options] { return run_check(*options); };
  });
}

}  // namespace e2qcow::cli
