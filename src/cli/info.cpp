// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/info.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file/posix_file.h"
#include "base/process/sandbox.h"
#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/hints.h"
#include "cli/image_options.h"
#include "cli/sizes.h"
#include "ext2/selection/findings.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;

using work::Info;

struct InfoOptions {
  work::ImageOptions image;
  Common common;
};

std::string text_of(const Info& info, std::uint32_t type) {
  for (const qcow2::Extension& extension : info.extensions)
    if (extension.type == type)
      return printable({reinterpret_cast<const char*>(extension.data.data()), extension.data.size()});
  return "";
}

const char* encryption_name(const qcow2::Header& header) {
  return header.crypt_method == 1 ? "AES" : header.crypt_method == 2 ? "LUKS" : "unknown";
}

// The image may name bits that we do not know.
std::vector<std::string> feature_names(const Info& info) {
  constexpr std::array kKnown{"dirty", "corrupt", "external data file", "compression type", "extended L2"};
  std::vector<std::string> names;
  for (std::uint64_t rest = info.header.incompatible_features; rest != 0; rest &= rest - 1) {
    const auto bit = static_cast<std::uint32_t>(std::countr_zero(rest));
    const std::string name = printable(qcow2::feature_name(info.extensions, bit));
    if (bit < kKnown.size())
      names.emplace_back(kKnown[bit]);
    else
      names.push_back(name.empty() ? fmt::format("bit {}", bit) : fmt::format("bit {} ({})", bit, name));
  }
  return names;
}

std::vector<std::string> extension_names(const Info& info) {
  static const std::map<std::uint32_t, const char*> kNames{{qcow2::kBackingFormat, "backing format"},
                                                           {qcow2::kFeatureNames, "feature names"},
                                                           {qcow2::kBitmaps, "bitmaps"},
                                                           {qcow2::kCryptoHeader, "encryption header"},
                                                           {qcow2::kDataFileName, "data file name"},
                                                           {qcow2::kDumpRecord, "dump record"}};
  std::vector<std::string> names;
  for (const qcow2::Extension& extension : info.extensions) {
    const auto known = kNames.find(extension.type);
    names.push_back(known != kNames.end() ? known->second : fmt::format("{:#010x}", extension.type));
  }
  return names;
}

const char* compression_name(const qcow2::Header& header) {
  return header.compression_type == qcow2::CompressionType::zstd ? "zstd" : "zlib";
}

bool is_known(std::uint8_t finding) {
  return finding_text(static_cast<Finding>(finding)).name != finding_text(Finding{255}).name;
}

// Of a later version: its number.
std::string finding_name(std::uint8_t finding) {
  return is_known(finding) ? std::string(finding_text(static_cast<Finding>(finding)).name)
                           : fmt::format("finding-{}", finding);
}

Json findings_json(const DumpRecord& record) {
  Json counts = Json::object();
  for (const auto& [finding, count] : record.findings) counts[finding_name(finding)] = count;
  return counts;
}

const char* kind_text(DumpKind kind) {
  return kind == DumpKind::all        ? "all blocks in use"
         : kind == DumpKind::metadata ? "metadata (no contents of files)"
                                      : "what identified the device (no file system was found)";
}

std::string whole_text(const Info& info) {
  const DumpRecord& record = *info.record;
  if (record.lost_bytes > 0)
    return fmt::format("NO: {} could not be read and are zeros", human_size(record.lost_bytes));
  if (record.kind == DumpKind::signatures) return "NO: no superblock was found";
  if (const auto doubt = record.doubt()) return fmt::format("not known: {}", finding_text(*doubt).text);
  if (info.was_opened_for_writing.value_or(false))
    return "not known: another program has opened the image for writing since the dump";
  return record.losses_known ? "yes" : "not known: written to a pipe";
}

Json dump_json(const Info& info) {
  const DumpRecord& record = *info.record;
  const bool is_changed = info.was_opened_for_writing.value_or(false);
  Json json{{"kind", kind_name(record.kind)},
            {"program-version", printable(record.program_version)},
            {"block-size", record.block_size},
            {"complete", record.complete() && !is_changed},
            {"losses-known", record.losses_known},
            {"lost-bytes", record.lost_bytes},
            {"inconsistencies", record.inconsistencies},
            {"findings", findings_json(record)},
            {"classes", classes_json(record.classes)}};
  if (record.end) json["end"] = *record.end;
  if (info.was_opened_for_writing) json["opened-for-writing-since"] = *info.was_opened_for_writing;
  return json;
}

Json filesystem_json(const ext2::Description& filesystem) {
  Json json{{"label", printable(filesystem.label)},
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
  if (!filesystem.external_journal.empty()) json["external-journal"] = filesystem.external_journal;
  return json;
}

// A list in an image may be arbitrarily long.
constexpr std::size_t kMaxListed = 100;
constexpr std::size_t kMaxNameBytes = 255;

template <typename T>
std::span<const T> listed(const std::vector<T>& list) {
  return std::span(list).first(std::min(list.size(), kMaxListed));
}

std::string printable_name(const std::string& name) {
  return printable(std::string_view(name).substr(0, kMaxNameBytes)) +
         (name.size() > kMaxNameBytes ? "..." : "");
}

Json snapshots_json(const Info& info) {
  Json list = Json::array();
  for (const qcow2::Snapshot& snapshot : listed(info.snapshots))
    list.push_back({{"id", printable_name(snapshot.id)},
                    {"name", printable_name(snapshot.name)},
                    {"date-sec", snapshot.seconds},
                    {"vm-state-size", snapshot.vm_state_bytes},
                    {"disk-size", snapshot.disk_size}});
  return list;
}

Json bitmaps_json(const Info& info) {
  Json list = Json::array();
  for (const qcow2::Bitmap& bitmap : listed(info.bitmaps))
    list.push_back({{"name", printable_name(bitmap.name)},
                    {"granularity-bits", bitmap.granularity_bits},
                    {"in-use", (bitmap.flags & qcow2::Bitmap::kInUse) != 0}});
  return list;
}

Json to_json(const InfoOptions& options, const Info& info) {
  const qcow2::Header& header = info.header;
  Json json{{"image", printable(options.image.path)},
            {"format", "qcow2"},
            {"version", header.version},
            {"virtual-size", header.size},
            {"file-size", info.file_size},
            {"cluster-size", header.geometry().cluster_size()},
            {"compression-type", compression_name(header)},
            {"refcount-bits", 1 << header.refcount_order},
            {"extended-l2", header.geometry().extended_l2},
            {"dirty", (header.incompatible_features & qcow2::kDirty) != 0},
            {"corrupt", (header.incompatible_features & qcow2::kCorrupt) != 0},
            {"incompatible-features", feature_names(info)},
            {"extensions", extension_names(info)},
            {"snapshot-count", header.snapshot_count},
            {"snapshots", snapshots_json(info)},
            {"bitmap-count", info.bitmaps.size()},
            {"bitmaps", bitmaps_json(info)}};
  if (info.backing_file) json["backing-file"] = printable(*info.backing_file);
  if (const std::string format = text_of(info, qcow2::kBackingFormat); !format.empty())
    json["backing-format"] = format;
  if (const std::string name = text_of(info, qcow2::kDataFileName); !name.empty()) json["data-file"] = name;
  if (header.crypt_method != 0) json["encryption"] = encryption_name(header);
  if (!info.unreadable.empty()) json["unreadable"] = printable(info.unreadable);
  if (info.unreadable.empty()) json["data-bytes"] = info.data_bytes;
  if (info.record) json["dump"] = dump_json(info);
  if (info.filesystem) json["filesystem"] = filesystem_json(*info.filesystem);
  return json;
}

void print_record(const Info& info) {
  const DumpRecord& record = *info.record;
  fmt::print("dump:          {}, by e2qcow {}\n", kind_text(record.kind), printable(record.program_version));
  fmt::print("whole:         {}\n", whole_text(info));
  if (record.end) fmt::print("ends at:       {}; nothing after the file system is in it\n", *record.end);
  if (record.inconsistencies > 0)
    fmt::print("inconsistent:  {} found in the file system when it was dumped\n", record.inconsistencies);
  for (const auto& [finding, count] : record.findings)
    fmt::print("  {:>10}   {}\n", count,
               is_known(finding) ? finding_text(static_cast<Finding>(finding)).text : finding_name(finding));
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
  if (!filesystem.external_journal.empty())
    fmt::print("  journal      on another device, UUID {}; not in this image\n", filesystem.external_journal);
  if (filesystem.error_count > 0) fmt::print("  errors       {} recorded\n", filesystem.error_count);
  if (!filesystem.last_mounted.empty()) fmt::print("  last mounted {}\n", printable(filesystem.last_mounted));
  fmt::print("  features     {}\n", printable(filesystem.features));
}

void print_foreign(const Info& info) {
  const qcow2::Header& header = info.header;
  if (info.backing_file) {
    const std::string format = text_of(info, qcow2::kBackingFormat);
    fmt::print("backing file:  {}{} (not opened)\n", printable(*info.backing_file),
               format.empty() ? "" : ", " + format);
  }
  if (const std::string name = text_of(info, qcow2::kDataFileName); !name.empty())
    fmt::print("data file:     {} (not opened)\n", name);
  if (header.crypt_method != 0) fmt::print("encrypted:     {}\n", encryption_name(header));
  if (header.incompatible_features != 0)
    fmt::print("needs:         {}\n", fmt::join(feature_names(info), ", "));
  if (!info.extensions.empty()) fmt::print("extensions:    {}\n", fmt::join(extension_names(info), ", "));
  for (const qcow2::Snapshot& snapshot : listed(info.snapshots))
    fmt::print("snapshot:      {} '{}', disk of {}, VM state of {}\n", printable_name(snapshot.id),
               printable_name(snapshot.name), human_size(snapshot.disk_size),
               human_size(snapshot.vm_state_bytes));
  for (const qcow2::Bitmap& bitmap : listed(info.bitmaps))
    fmt::print("bitmap:        '{}', a bit for {}{}\n", printable_name(bitmap.name),
               human_size(1ULL << (bitmap.granularity_bits & 63)),
               (bitmap.flags & qcow2::Bitmap::kInUse) != 0 ? ", was in use" : "");
  if (info.snapshots.size() > kMaxListed || info.bitmaps.size() > kMaxListed)
    fmt::print("in all:        {} snapshots, {} bitmaps\n", info.snapshots.size(), info.bitmaps.size());
}

void print_info(const InfoOptions& options, const Info& info, const std::string& hint) {
  const qcow2::Header& header = info.header;
  fmt::print("image:         {}\n", printable(options.image.path));
  fmt::print("format:        qcow2 version {} (compat {})\n", header.version,
             header.version == 2 ? "0.10" : "1.1");
  fmt::print("virtual size:  {} ({} bytes)\n", human_size(header.size), header.size);
  fmt::print(
      "file size:     {}{}\n", human_size(info.file_size),
      info.unreadable.empty() ? fmt::format(", {} of the disk stored", human_size(info.data_bytes)) : "");
  fmt::print("clusters:      {}{}, compression type {}, refcounts of {} bits\n",
             human_size(header.geometry().cluster_size()),
             header.geometry().extended_l2 ? " in 32 parts" : "", compression_name(header),
             1 << header.refcount_order);
  print_foreign(info);
  if ((header.incompatible_features & qcow2::kDirty) != 0)
    fmt::print("dirty:         yes, refcounts are stale\n");
  if ((header.incompatible_features & qcow2::kCorrupt) != 0) fmt::print("corrupt:       marked so by QEMU\n");
  if (!info.unreadable.empty()) fmt::print("unreadable:    {}{}\n", printable(info.unreadable), hint);
  if (info.record) print_record(info);
  if (info.filesystem) print_filesystem(*info.filesystem);
}

int run_info(const InfoOptions& options, const CLI::App& command) {
  const auto file = open_for_reading(options.image.path);
  give_up_rights({});
  const Info info = work::read_info(*file, options.image);
  if (options.common.json)
    fmt::print("{}\n", to_json(options, info).dump(2));
  else
    print_info(options, info, hint_for(info.unreadable_code, command));
  return kDone;
}

}  // namespace

void add_info(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = app.add_subcommand("info", "Show what an image is and what it holds");
  command->add_option("IMAGE", options->image.path, "The qcow2 image")->required();
  add_limit_options(*command, options->image);
  add_json_option(*command, options->common);
  command->footer("Example: e2qcow info sdb1.qcow2");
  command->callback([options, command, &chosen] {
    chosen.run = [options, command] { return run_info(*options, *command); };
  });
}

}  // namespace e2qcow::cli
