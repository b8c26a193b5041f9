#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/posix_file.h"
#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/text.h"
#include "ext2/superblock.h"
#include "image/source_file.h"
#include "qcow2/reader.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InfoOptions {
  std::string image;
  Common common;
};

struct Info {
  const qcow2::Header& header;
  std::uint64_t file_size;
  std::uint64_t data_bytes;
  std::optional<DumpRecord> record;
  std::optional<ext2::Description> filesystem;
  std::optional<std::string> backing_file;
};

const char* compression_name(const qcow2::Header& header) {
  return header.compression_type == qcow2::CompressionType::zstd ? "zstd" : "zlib";
}

Json dump_json(const DumpRecord& record) {
  return {{"kind", record.kind == DumpKind::all ? "all" : "metadata"},
          {"program-version", printable(record.program_version)},
          {"block-size", record.block_size},
          {"complete", record.complete()},
          {"losses-known", record.losses_known},
          {"lost-bytes", record.lost_bytes},
          {"inconsistencies", record.inconsistencies},
          {"classes", classes_json(record.classes)}};
}

Json filesystem_json(const ext2::Description& filesystem) {
  return {{"label", printable(filesystem.label)},
          {"uuid", filesystem.uuid},
          {"last-mounted-on", printable(filesystem.last_mounted)},
          {"features", printable(filesystem.features)},
          {"state", filesystem.state},
          {"block-size", filesystem.block_size},
          {"blocks", filesystem.blocks},
          {"free-blocks", filesystem.free_blocks},
          {"inodes", filesystem.inodes},
          {"free-inodes", filesystem.free_inodes},
          {"errors", filesystem.error_count},
          {"needs-recovery", filesystem.needs_recovery}};
}

Json to_json(const InfoOptions& options, const Info& info) {
  Json json{{"image", printable(options.image)},
            {"format", "qcow2"},
            {"version", info.header.version},
            {"virtual-size", info.header.size},
            {"file-size", info.file_size},
            {"data-bytes", info.data_bytes},
            {"cluster-size", info.header.geometry().cluster_size()},
            {"compression-type", compression_name(info.header)},
            {"refcount-bits", 1 << info.header.refcount_order},
            {"snapshots", info.header.snapshot_count},
            {"dirty", (info.header.incompatible_features & qcow2::kDirty) != 0},
            {"corrupt", (info.header.incompatible_features & qcow2::kCorrupt) != 0}};
  if (info.backing_file) json["backing-file"] = printable(*info.backing_file);
  if (info.record) json["dump"] = dump_json(*info.record);
  if (info.filesystem) json["filesystem"] = filesystem_json(*info.filesystem);
  return json;
}

void print_record(const DumpRecord& record) {
  fmt::print("dump:          {}, by e2qcow {}\n",
             record.kind == DumpKind::all ? "all blocks in use" : "metadata (no contents of files)",
             printable(record.program_version));
  if (!record.losses_known)
    fmt::print("whole:         not known: written to a pipe\n");
  else if (record.lost_bytes > 0)
    fmt::print("whole:         NO: {} could not be read and are zeros\n", human_size(record.lost_bytes));
  else
    fmt::print("whole:         yes\n");
  if (record.inconsistencies > 0)
    fmt::print("inconsistent:  {} found in the file system when it was dumped\n", record.inconsistencies);
  fmt::print("holds:\n{}", class_table(record.classes));
}

void print_filesystem(const ext2::Description& filesystem) {
  fmt::print("file system:   label '{}', UUID {}\n", printable(filesystem.label), filesystem.uuid);
  fmt::print("  size         {} blocks of {} ({})\n", filesystem.blocks, human_size(filesystem.block_size),
             human_size(filesystem.size()));
  fmt::print("  free         {} blocks, {} of {} inodes\n", filesystem.free_blocks, filesystem.free_inodes,
             filesystem.inodes);
  fmt::print("  state        {}{}\n", filesystem.state,
             filesystem.needs_recovery ? ", journal to be replayed" : "");
  if (filesystem.error_count > 0) fmt::print("  errors       {} recorded\n", filesystem.error_count);
  if (!filesystem.last_mounted.empty()) fmt::print("  mounted on   {}\n", printable(filesystem.last_mounted));
  fmt::print("  features     {}\n", printable(filesystem.features));
}

void print_info(const InfoOptions& options, const Info& info) {
  fmt::print("image:         {}\n", printable(options.image));
  fmt::print("format:        qcow2 version {} (compat {})\n", info.header.version,
             info.header.version == 2 ? "0.10" : "1.1");
  fmt::print("virtual size:  {} ({} bytes)\n", human_size(info.header.size), info.header.size);
  fmt::print("file size:     {}, {} of the disk stored\n", human_size(info.file_size),
             human_size(info.data_bytes));
  fmt::print("clusters:      {}, compression type {}, refcounts of {} bits\n",
             human_size(info.header.geometry().cluster_size()), compression_name(info.header),
             1 << info.header.refcount_order);
  if (info.header.snapshot_count > 0) fmt::print("snapshots:     {}\n", info.header.snapshot_count);
  if (info.backing_file) fmt::print("backing file:  {} (not opened)\n", printable(*info.backing_file));
  if ((info.header.incompatible_features & qcow2::kDirty) != 0)
    fmt::print("dirty:         yes, refcounts are stale\n");
  if ((info.header.incompatible_features & qcow2::kCorrupt) != 0)
    fmt::print("corrupt:       marked so by QEMU\n");
  if (info.record) print_record(*info.record);
  if (info.filesystem) print_filesystem(*info.filesystem);
}

std::optional<ext2::Description> describe_filesystem(qcow2::Reader& reader) {
  const SourceFile disk(reader, reader.file().name());
  const auto superblock = ext2::read_superblock(disk, ext2::kSuperblockOffset);
  if (!superblock) return std::nullopt;
  return ext2::describe(*superblock);
}

int run_info(const InfoOptions& options) {
  const auto file = open_for_reading(options.image);
  qcow2::Reader reader(*file);
  Info info{reader.header(), file->size(), reader.check_tables(),
            reader.record(), std::nullopt, reader.backing_file_name()};
  if (!info.backing_file) info.filesystem = describe_filesystem(reader);
  if (options.common.json)
    fmt::print("{}\n", to_json(options, info).dump(2));
  else
    print_info(options, info);
  return kDone;
}

}  // namespace

void add_info(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = app.add_subcommand("info", "Show what an image is and what it holds");
  command->add_option("IMAGE", options->image, "The qcow2 image")->required();
  add_json_option(*command, options->common);
  command->footer("Example: e2qcow info sdb1.qcow2");
  command->callback([options, &chosen] { chosen = [options] { return run_info(*options); }; });
}

}  // namespace e2qcow::cli
