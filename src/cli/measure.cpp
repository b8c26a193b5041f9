// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/measure.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/device_options.h"
#include "cli/extra_output.h"
#include "cli/format_options.h"
#include "cli/message.h"
#include "cli/report.h"
#include "cli/sizes.h"
#include "work/map_files.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;
using work::MeasureResult;

struct MeasureCommand {
  work::DeviceOptions device{.notice = say_line};
  bool all = false;
  std::string compress = "none";
  std::string domain_map;  // empty: none
  Common common;
};

void print_json(const MeasureCommand& command, const MeasureResult& result) {
  Json sizes = Json::array();
  for (const work::ImageWeight& weight : result.weights)
    sizes.push_back({{"cluster-size", weight.cluster_size}, {"image-size", weight.image_size}});
  Json json{{"device", printable(command.device.path)},
            {"kind", command.all ? "all" : "metadata"},
            {"disk-size", result.disk_size},
            {"selected-bytes", result.survey.selected.bytes()},
            {"extents", result.survey.selected.extents.size()},
            {"classes", classes_json(result.survey.classes())},
            {"compress", command.compress},
            {"best-cluster-size", result.best_cluster_size()},
            {"image-bound-bytes", result.bound},
            {"image-sizes", sizes}};
  if (result.estimate)
    json["estimate"] = {{"compress", "zstd"},
                        {"cluster-size", result.estimate->cluster_size},
                        {"image-size", result.estimate->image_size},
                        {"image-bound-bytes", result.estimate_bound}};
  fmt::print("{}\n", json.dump(2));
}

void print_table(const MeasureCommand& command, const MeasureResult& result) {
  fmt::print("{}: {} of {} in {} pieces, on a disk of {}\n", printable(command.device.path),
             human_size(result.survey.selected.bytes()), command.all ? "blocks in use" : "metadata",
             result.survey.selected.extents.size(), human_size(result.disk_size));
  fmt::print("{}", class_table(result.survey.classes()));
  if (result.estimate)
    fmt::print("Size of an image as dump makes it without options (zstd), estimated: {}\n",
               human_size(result.estimate->image_size));
  if (command.compress == "none")
    fmt::print("Size of an uncompressed image, at most:\n");
  else
    fmt::print("Size of an image with --compress {}:\n", command.compress);
  for (const work::ImageWeight& weight : result.weights)
    fmt::print("  {:>12} with clusters of {}{}\n", human_size(weight.image_size),
               human_size(weight.cluster_size),
               weight.cluster_size == result.best_cluster_size() ? "  (auto)" : "");
}

int run_measure(const MeasureCommand& command) {
  work::MeasureOptions options{.kind = command.all ? DumpKind::all : DumpKind::metadata,
                               .format = image_format({.compress = command.compress}),
                               .remember = !command.domain_map.empty(),
                               // Not where every read counts.
                               .estimate = command.compress == "none" && command.domain_map.empty() &&
                                           command.device.bad_blocks.empty()};
  const work::Device device(command.device);
  ExtraOutput domain_map(device, command.domain_map, {});
  const MeasureResult result = with_progress(command.common, [&](const TransferOptions& transfer) {
    options.transfer = transfer;
    return work::measure(device, options);
  });
  domain_map.commit([&] { return work::domain_map_text(device, result.survey); });
  print_report(work::make_report(device, result.survey, work::Paths::of_affected_files, say_line),
               device.name(), {});
  if (command.common.json)
    print_json(command, result);
  else
    print_table(command, result);
  return device.file().losses().empty() && result.survey.findings->total() == 0 ? kDone : kWithLosses;
}

}  // namespace

void add_measure(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<MeasureCommand>();
  CLI::App* command = app.add_subcommand(
      "measure", "Show what a dump would hold and how large it would be, without writing it");
  add_device_options(*command, options->device);
  command->add_flag("-a,--all", options->all, "Count all blocks in use, including the contents of files");
  command
      ->add_option(
          "--compress", options->compress,
          "zstd[:LEVEL], zlib[:LEVEL] or none (default). Compressed sizes are exact, and each takes as long "
          "as a dump")
      ->type_name("HOW");
  command
      ->add_option("--domain-map", options->domain_map,
                   "Write a map file for ddrescue -m, which then fetches only what a dump would read")
      ->type_name("MAPFILE");
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow measure --all /dev/sdb1");
  command->callback([options, &chosen] { chosen.run = [options] { return run_measure(*options); }; });
}

}  // namespace e2qcow::cli
