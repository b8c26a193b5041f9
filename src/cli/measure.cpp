#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/device_input.h"
#include "cli/losses.h"
#include "cli/text.h"
#include "ext2/select.h"
#include "image/extent_source.h"
#include "qcow2/layout.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;

struct MeasureOptions {
  InputOptions input;
  bool all = false;
  Common common;
};

struct Weight {
  std::uint64_t cluster_size;
  std::uint64_t image_size;
};

std::vector<Weight> weigh(std::uint64_t disk_size, std::span<const Extent> extents) {
  std::vector<Weight> weights;
  for (std::uint32_t bits = qcow2::kMinClusterBits; bits <= qcow2::kMaxClusterBits; ++bits) {
    const qcow2::Geometry geometry{bits};
    const auto layout = qcow2::plan_layout(geometry, disk_size, qcow2::count_clusters(extents, geometry));
    if (layout.is_valid()) weights.push_back({geometry.cluster_size(), layout.end()});
  }
  return weights;
}

void print_json(const MeasureOptions& options, std::uint64_t disk_size, const ext2::SelectedExtents& selected,
                std::span<const DumpRecord::ClassBytes> classes, const std::vector<Weight>& weights,
                std::uint64_t best) {
  Json sizes = Json::array();
  for (const Weight& weight : weights)
    sizes.push_back({{"cluster-size", weight.cluster_size}, {"image-size", weight.image_size}});
  const Json json{{"device", printable(options.input.path)},
                  {"kind", options.all ? "all" : "metadata"},
                  {"disk-size", disk_size},
                  {"selected-bytes", selected.bytes()},
                  {"extents", selected.extents.size()},
                  {"classes", classes_json(classes)},
                  {"best-cluster-size", best},
                  {"uncompressed-image-sizes", sizes}};
  fmt::print("{}\n", json.dump(2));
}

void print_table(const MeasureOptions& options, std::uint64_t disk_size,
                 const ext2::SelectedExtents& selected, std::span<const DumpRecord::ClassBytes> classes,
                 const std::vector<Weight>& weights, std::uint64_t best) {
  fmt::print("{}: {} of {} in {} pieces, on a disk of {}\n", printable(options.input.path),
             human_size(selected.bytes()), options.all ? "blocks in use" : "metadata",
             selected.extents.size(), human_size(disk_size));
  fmt::print("{}", class_table(classes));
  fmt::print("An uncompressed image has at most\n");
  for (const Weight& weight : weights)
    fmt::print("  {:>12} with clusters of {}{}\n", human_size(weight.image_size),
               human_size(weight.cluster_size), weight.cluster_size == best ? "  (auto)" : "");
}

int run_measure(const MeasureOptions& options) {
  const DeviceInput input(options.input);
  ext2::Findings findings;
  ext2::SelectedExtents selected;
  {
    const auto progress = make_progress(options.common.progress, options.common.quiet);
    const DumpKind kind = options.all ? DumpKind::all : DumpKind::metadata;
    selected = ext2::select_blocks(input.filesystem(), {kind, thread_count(options.common), progress.get()},
                                   findings);
  }
  const auto classes = class_bytes(selected.class_bytes);
  const std::uint64_t disk_size = image_size(input.file());
  const std::vector<Weight> weights = weigh(disk_size, selected.extents);
  const std::uint64_t best = 1ULL << qcow2::best_cluster_bits(disk_size, selected.extents);
  print_losses(input.file(), findings);
  if (options.common.json)
    print_json(options, disk_size, selected, classes, weights, best);
  else
    print_table(options, disk_size, selected, classes, weights, best);
  return input.file().losses().empty() && findings.total() == 0 ? kDone : kWithLosses;
}

}  // namespace

void add_measure(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<MeasureOptions>();
  CLI::App* command = app.add_subcommand(
      "measure", "Show what a dump would hold and how large it would be, without writing it");
  add_input_options(*command, options->input);
  command->add_flag("-a,--all", options->all, "All blocks in use, with the contents of files");
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow measure --all /dev/sdb1");
  command->callback([options, &chosen] { chosen = [options] { return run_measure(*options); }; });
}

}  // namespace e2qcow::cli
