// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/dump.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file/temporary_file.h"
#include "base/storage.h"
#include "cli/capture_text.h"
#include "cli/class_table.h"
#include "cli/dump_command.h"
#include "cli/extra_output.h"
#include "cli/journal_dump.h"
#include "cli/message.h"
#include "cli/report.h"
#include "cli/sizes.h"
#include "cli/stopwatch.h"
#include "work/live/dump_source.h"
#include "work/map_files.h"

namespace e2qcow::cli {
namespace {

using work::DumpResult;

void print_json(const DumpCommand& command, const DumpResult& result, double seconds) {
  nlohmann::ordered_json json{{"image", printable(command.image)},
                              {"kind", kind_name(result.record.kind)},
                              {"capture", capture_name(result.record.capture)},
                              {"disk-size", result.disk_size},
                              {"selected-bytes", result.survey.selected.bytes()},
                              {"image-size", result.image_size},
                              {"lost-bytes", result.record.lost_bytes},
                              {"inconsistencies", result.record.inconsistencies},
                              {"classes", classes_json(result.record.classes)},
                              {"seconds", seconds}};
  if (!command.base.image.path.empty()) json["base"] = printable(command.base.image.path);
  if (command.if_changed) json["kept"] = result.kept;
  fmt::print("{}\n", json.dump(2));
}

void print_text(const DumpCommand& command, const DumpResult& result, double seconds) {
  if (result.kept) return say("{}: holds this state already, and is kept\n", printable(command.image));
  say("{}: {} of {} on a disk of {}; image {}, {:.1f} s\n",
      command.image == "-" ? "standard output" : printable(command.image),
      human_size(result.survey.selected.bytes()),
      command.all ? "blocks in use" : kind_name(result.record.kind), human_size(result.disk_size),
      human_size(result.image_size), seconds);
}

void print_result(const DumpCommand& command, const DumpResult& result, double seconds) {
  if (command.common.json)
    print_json(command, result, seconds);
  else if (!command.common.quiet)
    print_text(command, result, seconds);
}

// Nothing else may be written to it.
std::optional<work::KeyFile> open_key(const DumpCommand& command) {
  if (command.key.empty()) return std::nullopt;
  if (command.key == "-") fail(Errc::refused, "the key is private, and is not written to standard output");
  for (const std::string& other : {command.image, command.report, command.map_out, command.name_map})
    if (!other.empty() && is_same_name(command.key, other))
      fail(Errc::refused, command.key + ": is given for the key and for an output");
  return std::optional<work::KeyFile>(std::in_place, command.key);
}

std::optional<work::AnonymizeOptions> anonymize_options(const DumpCommand& command,
                                                        const std::optional<work::KeyFile>& key) {
  if (command.anonymize.empty()) return std::nullopt;
  return work::AnonymizeOptions{
      .secret = key ? key->secret() : ext2::Secret::random(),
      .strictness = command.anonymize == kStrict ? ext2::Strictness::strict : ext2::Strictness::plain};
}

std::optional<Freezer::Milliseconds> freeze_limit(const DumpCommand& command) {
  constexpr std::chrono::seconds kDefault(10);
  if (command.freeze.empty()) return std::nullopt;
  return command.freeze == kPlain ? kDefault : std::chrono::seconds(std::stoul(command.freeze));
}

std::unique_ptr<work::BaseImage> open_base(const DumpCommand& command) {
  if (command.base.image.path.empty()) return nullptr;
  work::BaseOptions options = command.base;
  options.accept_resized = command.device.accept_mounted;
  auto base = std::make_unique<work::BaseImage>(options, command.image, 1);
  for (const std::string* output : {&command.report, &command.map_out, &command.name_map, &command.key})
    base->refuse_output(*output);
  return base;
}

}  // namespace

int run_dump(const DumpCommand& command) {
  const Stopwatch stopwatch;
  work::DumpOptions options = dump_options(command);
  work::DumpSource source(
      command.device, options.kind,
      {.freeze = freeze_limit(command),
       .snapshot = command.snapshot,
       .outputs = {command.image, command.report, command.map_out, command.name_map, command.key}});
  const auto base = open_base(command);
  options.base = base.get();
  const work::DumpTarget target = work::open_dump_target(source.device(), command.image, command.to_device);
  JournalDump journal(command, source, base.get());
  ExtraOutput report_file(source.device(), command.report, {command.image});
  ExtraOutput map_file(source.device(), command.map_out, {command.image, command.report});
  if (command.name_map == "-")
    fail(Errc::refused, "the map of names is private, and is not written to standard output");
  ExtraOutput name_map(source.device(), command.name_map, {command.image, command.report, command.map_out});
  auto key = open_key(command);
  options.anonymize = anonymize_options(command, key);
  if (name_map.is_wanted())
    options.names_are_known = [&](const work::AnonymizedDump& dump, const work::Survey& survey) {
      work::write_name_map(dump, survey, name_map.file());
    };
  const DumpResult result = with_progress(command.common, [&](const TransferOptions& transfer) {
    options.transfer = transfer;
    source.prepare(options, target.file ? target.file->directory() : temporary_directory(),
                   target.file == nullptr);
    journal.write(command, source.device(), options);
    return work::dump(source.device(), target, options);
  });
  journal.commit();
  const work::Device& device = source.device();
  source.tell(say_line, result.record.capture);
  if (key) key->commit();
  name_map.commit();
  map_file.commit([&] { return work::rescue_map_text(device, result.survey); });
  const double seconds = stopwatch.seconds();
  const auto paths = report_file.is_wanted() ? work::Paths::of_findings_too : work::Paths::of_affected_files;
  const work::Report report = work::make_report(device, result.survey, paths, say_line);
  print_report(report, device.name(),
               {"; they are zeros in the image", report_file.is_wanted() ? "" : "; --report FILE lists all"});
  report_file.commit(
      [&] { return report_text(report, result.record.capture, device, result.anonymized.get()); });
  print_result(command, result, seconds);
  return result.record.lost_bytes == 0 && result.record.inconsistencies == 0 ? kDone : kWithLosses;
}

}  // namespace e2qcow::cli
