// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/info.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file/posix_file.h"
#include "base/process/sandbox.h"
#include "base/storage.h"
#include "cli/capture_text.h"
#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/hints.h"
#include "cli/image_options.h"
#include "cli/info_json.h"
#include "cli/info_words.h"
#include "cli/sizes.h"
#include "qcow2/read/data_files.h"

namespace e2qcow::cli {
namespace {

using work::Info;

struct InfoOptions {
  work::ImageOptions image;
  Common common;
};

const char* kind_text(DumpKind kind) {
  return kind == DumpKind::all        ? "all blocks in use"
         : kind == DumpKind::metadata ? "metadata (no contents of files)"
                                      : "what identified the device (no file system was found)";
}

std::string whole_text(const Info& info) {
  const auto [answer, why] = wholeness(info);
  if (answer == Whole::Answer::yes) return "yes";
  return (answer == Whole::Answer::no ? "NO: " : "not known: ") + why;
}

void print_record(const Info& info) {
  const DumpRecord& record = *info.record;
  fmt::print("dump:          {}, by e2qcow {}\n", kind_text(record.kind), printable(record.program_version));
  if (record.capture != CaptureState::at_rest)
    fmt::print("captured:      {}\n", capture_text(record.capture));
  if (record.pair)
    fmt::print("pair:          {:02x} (the same in the image of the journal, or of what has this journal)\n",
               fmt::join(*record.pair, ""));
  if (record.anonymized_with)
    fmt::print("anonymized:    {} (key {:02x})\n", record.is_strictly_anonymized ? "strictly" : "yes",
               fmt::join(*record.anonymized_with, ""));
  fmt::print("whole:         {}\n", whole_text(info));
  if (record.end) fmt::print("ends at:       {}; nothing after the file system is in it\n", *record.end);
  if (record.inconsistencies > 0)
    fmt::print("inconsistent:  {} found in the file system when it was dumped\n", record.inconsistencies);
  for (const auto& [finding, count] : record.findings)
    fmt::print("  {:>10}   {}\n", count, finding_description(finding));
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

void print_foreign(const Info& info, const ReadableFile* data_file) {
  const qcow2::Header& header = info.header;
  if (info.backing_file) {
    const std::string format = extension_text(info, qcow2::kBackingFormat);
    fmt::print("backing file:  {}{} (not opened{})\n", printable(*info.backing_file),
               format.empty() ? "" : ", " + format, info.base ? "; the dump was made on it" : "");
  }
  if (const std::string name = extension_text(info, qcow2::kDataFileName); !name.empty())
    fmt::print("data file:     {} ({})\n", name,
               data_file == nullptr ? "not opened" : "read from " + printable(data_file->name()));
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

void print_info(const InfoOptions& options, const Info& info, const ReadableFile* data_file,
                const std::string& hint) {
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
  print_foreign(info, data_file);
  if ((header.incompatible_features & qcow2::kDirty) != 0)
    fmt::print("dirty:         yes, refcounts are stale\n");
  if ((header.incompatible_features & qcow2::kCorrupt) != 0) fmt::print("corrupt:       marked so by QEMU\n");
  if (!info.unreadable.empty()) fmt::print("unreadable:    {}{}\n", printable(info.unreadable), hint);
  if (info.digest_place)
    fmt::print("digests:       {}\n",
               info.digests ? fmt::format("{} of {} clusters; see e2qcow verify",
                                          digest_name(info.digests->kind), info.digests->clusters)
                            : "overwritten, cut off or damaged");
  if (info.record) print_record(info);
  if (info.filesystem) print_filesystem(*info.filesystem);
}

int run_info(const InfoOptions& options, const CLI::App& command) {
  const auto file = open_for_reading(options.image.path);
  const auto stored = stored_ranges(options.image.path);
  qcow2::DataFiles data_files(options.image.data_files);
  give_up_rights({});
  const auto data_file = qcow2::data_file_of(*file, stored, std::move(data_files));
  const Info info = work::read_info(*file, data_file.get(), options.image);
  if (options.common.json)
    fmt::print("{}\n", info_json(options.image.path, info).dump(2));
  else
    print_info(options, info, data_file.get(), hint_for(info.unreadable_code, command));
  return kDone;
}

}  // namespace

void add_info(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = app.add_subcommand("info", "Show what an image is and what it holds");
  command->add_option("IMAGE", options->image.path, "The qcow2 image")->required();
  add_data_file_option(*command, options->image.data_files);
  add_limit_options(*command, options->image);
  add_json_option(*command, options->common);
  command->footer("Example: e2qcow info sdb1.qcow2");
  command->callback([options, command, &chosen] {
    chosen.run = [options, command] { return run_info(*options, *command); };
  });
}

}  // namespace e2qcow::cli
