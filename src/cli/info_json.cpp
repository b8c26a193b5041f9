// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/info_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/printable.h"
#include "cli/capture_text.h"
#include "cli/class_table.h"
#include "cli/info_words.h"

namespace e2qcow::cli {

using Json = nlohmann::ordered_json;
using work::Info;

namespace {

Json findings_json(const DumpRecord& record) {
  Json counts = Json::object();
  for (const auto& [finding, count] : record.findings) counts[finding_name(finding)] = count;
  return counts;
}

// Images of 0.1 are marked in no way, and what is printed of them never changes.
bool is_complete(const Info& info) {
  const DumpRecord& record = *info.record;
  if (record.image_version == 0) return record.complete();
  return wholeness(info).answer == Whole::Answer::yes;
}

Json dump_json(const Info& info) {
  const DumpRecord& record = *info.record;
  Json json{{"kind", kind_name(record.kind)},
            {"program-version", printable(record.program_version)},
            {"block-size", record.block_size},
            {"complete", is_complete(info)},
            {"losses-known", record.losses_known},
            {"lost-bytes", record.lost_bytes},
            {"inconsistencies", record.inconsistencies},
            {"findings", findings_json(record)},
            {"classes", classes_json(record.classes)}};
  json["capture"] = capture_name(record.capture);
  if (record.pair) json["pair"] = fmt::format("{:02x}", fmt::join(*record.pair, ""));
  if (record.anonymized_with) {
    json["anonymized-with"] = fmt::format("{:02x}", fmt::join(*record.anonymized_with, ""));
    json["anonymized-strictly"] = record.is_strictly_anonymized;
  }
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

}  // namespace

Json info_json(const std::string& path, const Info& info) {
  const qcow2::Header& header = info.header;
  Json json{{"image", printable(path)},
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
  if (const std::string format = extension_text(info, qcow2::kBackingFormat); !format.empty())
    json["backing-format"] = format;
  if (info.base) json["base-identity"] = fmt::format("{:02x}", fmt::join(*info.base, ""));
  if (const std::string name = extension_text(info, qcow2::kDataFileName); !name.empty())
    json["data-file"] = name;
  if (header.crypt_method != 0) json["encryption"] = encryption_name(header);
  if (!info.unreadable.empty()) json["unreadable"] = printable(info.unreadable);
  if (info.unreadable.empty()) json["data-bytes"] = info.data_bytes;
  if (info.digest_place) json["digest"] = digest_name(info.digest_place->kind);
  if (info.digests) json["digested-clusters"] = info.digests->clusters;
  if (info.record) json["dump"] = dump_json(info);
  if (info.filesystem) json["filesystem"] = filesystem_json(*info.filesystem);
  return json;
}

}  // namespace e2qcow::cli
