// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/dump.h"

#include <algorithm>

#include "image/extent_source.h"
#include "qcow2/format/record_extension.h"
#include "work/write_image.h"

namespace e2qcow::work {
namespace {

void warn_of_journal(const Device& device, const DumpOptions& options) {
  const ext2::Filesystem* filesystem = device.filesystem();
  if (options.kind == DumpKind::all && filesystem != nullptr && filesystem->superblock.needs_recovery())
    options.notice(device.name() +
                   ": the journal has not been replayed, so free space is unknown; dumping every block");
}

DumpRecord begin_record(const Device& device, const Survey& survey, DumpKind kind) {
  DumpRecord record;
  record.kind = kind;
  record.program_version = E2QCOW_VERSION;
  if (const ext2::Filesystem* filesystem = device.filesystem()) {
    std::ranges::copy(filesystem->superblock.raw.s_uuid, record.filesystem_uuid.begin());
    record.block_size = filesystem->geometry.block_size();
  }
  record.classes = survey.classes();
  return record;
}

void add_losses(DumpRecord& record, const Device& device, const ext2::Findings& findings) {
  record.lost_bytes = device.lost_bytes();
  record.inconsistencies = findings.total();
  record.findings.clear();
  for (const auto& [finding, summary] : findings.summary())
    record.findings.push_back({static_cast<std::uint8_t>(finding), summary.count});
}

qcow2::Layout plan(const Device& device, const DumpTarget& target, const DumpOptions& options,
                   const DumpResult& result) {
  const ext2::SelectedExtents& selected = result.survey.selected;
  const auto weigh = [&](const qcow2::Layout& layout) {
    return weigh_image(options.format, layout, device.file(), selected.extents, options.transfer);
  };
  return plan_image(options.format, result.disk_size, selected.extents, target.name, weigh);
}

void write(const Device& device, const DumpTarget& target, const DumpOptions& options, DumpResult& result) {
  const auto extensions = [&](ImageOutput::When when) {
    result.record.losses_known = when == ImageOutput::When::after_data;
    add_losses(result.record, device, *result.survey.findings);
    return std::vector{qcow2::encode_record(result.record)};
  };
  const ext2::SelectedExtents& selected = result.survey.selected;
  const qcow2::Layout layout = plan(device, target, options, result);
  if (options.transfer.progress) options.transfer.progress->begin("dump", selected.bytes());
  ExtentSource source(device.file(), selected.extents);
  result.image_size = write_image({target.file.get(), options.format, layout, extensions}, source,
                                  selected.extents, options.transfer);
}

}  // namespace

DumpTarget open_dump_target(const Device& device, const std::string& path) {
  refuse_output_on_input(path, device.stored());
  if (path == "-") return {"standard output", nullptr};
  return {path, std::make_unique<OutputFile>(path)};
}

DumpResult dump(const Device& device, const DumpTarget& target, const DumpOptions& options) {
  warn_of_journal(device, options);
  DumpResult result;
  result.survey = survey(device, {.kind = options.kind,
                                  .transfer = options.transfer,
                                  .most_important_first = device.may_be_dying(),
                                  .remember = options.remember || device.may_be_dying()});
  result.record = begin_record(device, result.survey, options.kind);
  result.disk_size = image_size(device.file());
  write(device, target, options, result);
  add_losses(result.record, device, *result.survey.findings);
  return result;
}

}  // namespace e2qcow::work
