// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/dump.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "ext2/structures/description.h"
#include "image/extent_source.h"
#include "nbd/nbd_name.h"
#include "qcow2/format/record_extension.h"
#include "work/same_image.h"

namespace e2qcow::work {
namespace {

void warn_of_journal(const Device& device, const DumpOptions& options) {
  const ext2::Filesystem* filesystem = device.filesystem();
  if (filesystem == nullptr) return;
  const ext2::Superblock& superblock = filesystem->superblock;
  if (superblock.has_external_journal() && device.journal() == nullptr)
    options.notice(fmt::format(
        "{}: its journal is on another device, which was not found (UUID {}), and not in this image",
        device.name(), ext2::journal_uuid(superblock)));
}

// Where the file system ends, if the disk has more than a part of a block behind it that is not in the dump.
std::optional<std::uint64_t> end_before_tail(const Device& device, const Survey& survey) {
  const ext2::Filesystem* filesystem = device.filesystem();
  if (filesystem == nullptr) return std::nullopt;
  const ext2::Geometry& geometry = filesystem->geometry;
  const auto& extents = survey.selected.extents;
  const std::uint64_t last = extents.empty() ? 0 : extents.back().end();
  const std::uint64_t end = std::max(geometry.blocks() * geometry.block_size(), last);
  return end < device.part().length ? std::optional(end) : std::nullopt;
}

// Partitions often end with a part of a block, which is of interest only if there is something in it.
bool is_tail_of_zeros(const Device& device, Extent tail) {
  if (tail.length >= device.filesystem()->geometry.block_size()) return false;
  std::vector<std::byte> bytes(tail.length);
  device.file().read(tail.offset, bytes);
  return is_zero(bytes);
}

void warn_of_tail(const Device& device, const DumpRecord& record, const DumpOptions& options) {
  if (!record.end || is_tail_of_zeros(device, {*record.end, device.part().length - *record.end})) return;
  options.notice(fmt::format("{}: the last {} bytes are after the file system, and not in the image",
                             device.name(), device.part().length - *record.end));
}

DumpRecord begin_record(const Device& device, const Survey& survey, const DumpOptions& options) {
  DumpRecord record;
  record.kind = options.kind;
  record.capture = options.capture;
  record.pair = options.pair;
  record.program_version = E2QCOW_VERSION;
  if (const ext2::Filesystem* filesystem = device.filesystem()) {
    std::ranges::copy(filesystem->superblock.raw.s_uuid, record.filesystem_uuid.begin());
    record.block_size = filesystem->geometry.block_size();
  } else if (options.kind == DumpKind::metadata) {
    record.kind = DumpKind::signatures;
  }
  record.image_version = static_cast<std::uint8_t>(options.format.version);
  record.classes = survey.classes();
  record.end = end_before_tail(device, survey);
  return record;
}

bool was_changed(CaptureState state) {
  return state == CaptureState::changed || state == CaptureState::thawed_early;
}

void record_anonymity(DumpResult& result, const AnonymizeOptions& options) {
  DumpRecord& record = result.record;
  record.anonymized_with = options.secret.fingerprint();
  record.is_strictly_anonymized = options.strictness == ext2::Strictness::strict;
  result.anonymized->anonymizer().strict_rules().replace_uuid(
      std::as_writable_bytes(std::span(record.filesystem_uuid)));
}

void add_losses(DumpRecord& record, const Device& device, const ext2::Findings& findings) {
  record.lost_bytes = device.lost_bytes();
  record.inconsistencies = findings.total();
  record.findings.clear();
  for (const auto& [finding, summary] : findings.summary())
    record.findings.push_back({static_cast<std::uint8_t>(finding), summary.count});
}

// What is written: the device's bytes, or those that replace them.
struct Contents {
  const ReadableFile& file;
  const std::vector<Extent>& extents;
};
Contents contents_of(const Device& device, const DumpResult& result) {
  if (result.anonymized) return {result.anonymized->file(), result.anonymized->extents()};
  return {device.file(), result.survey.selected.extents};
}

// Clusters can hide others only if they are of the same size.
ImageFormat format_on(const BaseImage& base, ImageFormat format, const std::string& name) {
  if (format.version < 3) fail(Errc::refused, name + ": an image of version 2 cannot be made on another one");
  if (format.smallest || (format.cluster_bits && format.cluster_bits != base.cluster_bits()))
    fail(Errc::refused, fmt::format("{}: its clusters must be as large as those of the base: {} bytes", name,
                                    std::uint64_t{1} << base.cluster_bits()));
  format.cluster_bits = base.cluster_bits();
  return format;
}

qcow2::Layout plan(const Contents& contents, const DumpTarget& target, const DumpOptions& options,
                   const DumpResult& result) {
  const BaseImage* base = options.base;
  if (base != nullptr)
    return plan_image(format_on(*base, options.format, target.name), result.disk_size,
                      with_extents_of(base, contents.file, contents.extents), target.name, {});
  const auto weigh = [&](const qcow2::Layout& layout) {
    return weigh_image(options.format, layout, contents.file, contents.extents, options.transfer);
  };
  return plan_image(options.format, result.disk_size, contents.extents, target.name, weigh);
}

// Whether the target has all that would be written. Its size is then that of the image.
bool is_there(const Device& device, const DumpTarget& target, const DumpOptions& options,
              DumpResult& result) {
  if (!options.keep_same || target.file == nullptr) return false;
  const Contents contents = contents_of(device, result);
  const auto record = [&] {
    add_losses(result.record, device, *result.survey.findings);
    return result.record;
  };
  const auto size =
      size_if_same(target.name, contents.file, contents.extents, result.disk_size, record, options.transfer);
  result.image_size = size.value_or(0);
  return size.has_value();
}

void write(const Device& device, const DumpTarget& target, const DumpOptions& options, DumpResult& result) {
  const auto extensions = [&](ImageOutput::When when) {
    result.record.losses_known = when == ImageOutput::When::after_data;
    if (result.record.losses_known && options.thaw) result.record.capture = options.thaw();
    if (was_changed(result.record.capture)) result.survey.findings->add(Finding::mounted, 0, 0);
    add_losses(result.record, device, *result.survey.findings);
    return std::vector{qcow2::encode_record(result.record)};
  };
  const Contents contents = contents_of(device, result);
  const qcow2::Layout layout = plan(contents, target, options, result);
  result.image_size =
      write_image({target.file.get(), options.format, layout, extensions, device.part().offset,
                   options.commit, options.spool, options.verify, options.base},
                  contents.file, contents.extents, options.transfer);
}

}  // namespace

DumpTarget open_dump_target(const Device& device, const std::string& path, bool accept_device) {
  if (nbd::is_nbd_name(path))
    fail(Errc::refused,
         path + ": an image is a file, and cannot be on a server; restore writes a disk there");
  refuse_output_on_input(path, device.stored());
  if (path != "-") refuse_replacing_shown(path);
  std::error_code none;
  if (!accept_device && std::filesystem::is_block_file(path, none))
    fail(Errc::is_device, path + ": is a block device; the image would replace what is on it");
  if (path == "-") return {"standard output", nullptr};
  return {path, std::make_unique<OutputFile>(path)};
}

DumpResult dump(const Device& device, const DumpTarget& target, const DumpOptions& options) {
  if (options.anonymize && options.kind == DumpKind::all)
    fail(Errc::refused, device.name() + ": contents of files cannot be anonymised");
  if (options.anonymize && device.filesystem() != nullptr &&
      device.filesystem()->superblock.is_journal_device())
    fail(Errc::refused,
         device.name() +
             ": is a journal, and cannot be anonymised without the file system that it belongs to");
  warn_of_journal(device, options);
  DumpResult result;
  result.survey = survey(device, {.kind = options.kind,
                                  .transfer = options.transfer,
                                  .most_important_first = device.may_be_dying() && device.is_cached(),
                                  .remember = options.remember || device.may_be_dying(),
                                  .find_roles = options.anonymize.has_value()});
  result.record = begin_record(device, result.survey, options);
  warn_of_tail(device, result.record, options);
  if (options.anonymize) {
    result.anonymized =
        std::make_unique<AnonymizedDump>(device, result.survey, *options.anonymize, options.transfer.threads);
    record_anonymity(result, *options.anonymize);
    if (options.names_are_known) options.names_are_known(*result.anonymized, result.survey);
  }
  result.disk_size = image_size(device.file());
  if (options.base != nullptr) options.base->refuse_unsuitable(result.record, result.disk_size);
  result.kept = is_there(device, target, options, result);
  if (!result.kept) write(device, target, options, result);
  add_losses(result.record, device, *result.survey.findings);
  return result;
}

}  // namespace e2qcow::work
