// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/device_input.h"
#include "cli/extra_output.h"
#include "cli/image_format.h"
#include "cli/image_output.h"
#include "cli/map_files.h"
#include "cli/report.h"
#include "cli/sizes.h"
#include "image/extent_source.h"
#include "qcow2/write/layout.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;

struct MeasureOptions {
  InputOptions input;
  bool all = false;
  std::string compress = "none";
  std::string domain_map;  // empty: none
  Common common;
};

struct Weight {
  std::uint64_t cluster_size;
  std::uint64_t image_size;
};

struct Measured {
  std::uint64_t disk_size = 0;
  ext2::SelectedExtents selected;
  std::vector<DumpRecord::ClassBytes> classes;
  std::vector<Weight> weights;

  std::uint64_t best_cluster_size() const {  // of equals, the largest
    return std::ranges::min_element(weights.rbegin(), weights.rend(), {}, &Weight::image_size)->cluster_size;
  }
};

// Without compression the plan tells the size of an image; else it must be made.
std::vector<Weight> weigh(const ReadableFile& file, const Measured& measured, const ImageFormat& format,
                          const TransferOptions& options) {
  const std::vector<Extent>& extents = measured.selected.extents;
  std::vector<Weight> weights;
  for (std::uint32_t bits = qcow2::kMinClusterBits; bits <= qcow2::kMaxClusterBits; ++bits) {
    const qcow2::Geometry geometry{bits};
    const auto layout =
        qcow2::plan_layout(geometry, measured.disk_size, qcow2::count_clusters(extents, geometry));
    if (!layout.is_valid()) continue;
    weights.push_back({geometry.cluster_size(), layout.end()});
    if (!format.compression) continue;
    if (options.progress) options.progress->begin("weigh", measured.selected.bytes());
    ExtentSource source(file, extents);
    weights.back().image_size = weigh_image(format, layout, source, options);
  }
  return weights;
}

void print_json(const MeasureOptions& options, const Measured& measured) {
  Json sizes = Json::array();
  for (const Weight& weight : measured.weights)
    sizes.push_back({{"cluster-size", weight.cluster_size}, {"image-size", weight.image_size}});
  const Json json{{"device", printable(options.input.path)},
                  {"kind", options.all ? "all" : "metadata"},
                  {"disk-size", measured.disk_size},
                  {"selected-bytes", measured.selected.bytes()},
                  {"extents", measured.selected.extents.size()},
                  {"classes", classes_json(measured.classes)},
                  {"compress", options.compress},
                  {"best-cluster-size", measured.best_cluster_size()},
                  {"image-sizes", sizes}};
  fmt::print("{}\n", json.dump(2));
}

void print_table(const MeasureOptions& options, const Measured& measured) {
  fmt::print("{}: {} of {} in {} pieces, on a disk of {}\n", printable(options.input.path),
             human_size(measured.selected.bytes()), options.all ? "blocks in use" : "metadata",
             measured.selected.extents.size(), human_size(measured.disk_size));
  fmt::print("{}", class_table(measured.classes));
  if (options.compress == "none")
    fmt::print("An uncompressed image has at most\n");
  else
    fmt::print("An image with --compress {} has\n", options.compress);
  for (const Weight& weight : measured.weights)
    fmt::print("  {:>12} with clusters of {}{}\n", human_size(weight.image_size),
               human_size(weight.cluster_size),
               weight.cluster_size == measured.best_cluster_size() ? "  (auto)" : "");
}

int run_measure(const MeasureOptions& options) {
  const ImageFormat format = image_format({.compress = options.compress});
  const DeviceInput input(options.input);
  ExtraOutput domain_map(input, options.domain_map, {});
  ext2::Findings findings;
  Measured measured;
  {
    const auto progress = make_progress(options.common.progress, options.common.quiet);
    const unsigned threads = thread_count(options.common);
    const DumpKind kind = options.all ? DumpKind::all : DumpKind::metadata;
    measured.selected = input.select({.kind = kind,
                                      .threads = threads,
                                      .progress = progress.get(),
                                      .remember = input.may_be_dying() || !options.domain_map.empty()},
                                     findings);
    measured.disk_size = image_size(input.file());
    measured.weights = weigh(input.file(), measured, format, {threads, progress.get()});
  }
  measured.classes = class_bytes(measured.selected.class_bytes);
  domain_map.commit([&] { return domain_map_text(input, measured.selected.looked_at); });
  print_report(make_report(input, measured.selected, findings, false), options.input.path);
  if (options.common.json)
    print_json(options, measured);
  else
    print_table(options, measured);
  return input.file().losses().empty() && findings.total() == 0 ? kDone : kWithLosses;
}

}  // namespace

void add_measure(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<MeasureOptions>();
  CLI::App* command = app.add_subcommand(
      "measure", "Show what a dump would hold and how large it would be, without writing it");
  add_input_options(*command, options->input);
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
  command->callback([options, &chosen] { chosen = [options] { return run_measure(*options); }; });
}

}  // namespace e2qcow::cli
