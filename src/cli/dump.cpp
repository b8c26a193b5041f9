// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/dump.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file/temporary_file.h"
#include "base/storage.h"
#include "cli/capture_text.h"
#include "cli/class_table.h"
#include "cli/command.h"
#include "cli/device_options.h"
#include "cli/extra_output.h"
#include "cli/format_options.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/report.h"
#include "cli/sizes.h"
#include "cli/stopwatch.h"
#include "work/journal_pair.h"
#include "work/live/dump_source.h"
#include "work/map_files.h"

namespace e2qcow::cli {
namespace {

using work::DumpResult;

constexpr const char* kPlain = "true";  // what a flag without a value has
constexpr const char* kStrict = "strict";

struct DumpCommand {
  work::DeviceOptions device{.notice = say_line};
  std::string image;
  bool all = false;
  bool verify = false;
  bool if_changed = false;
  std::string spool = "auto";
  bool to_device = false;  // the image may be a block device
  work::BaseOptions base{.image = {.notice = say_line}};
  std::string journal_image;  // of an external journal; empty: beside the image
  bool snapshot = false;
  std::string freeze;     // seconds, or kPlain; empty: not
  std::string anonymize;  // empty: not
  std::string key;        // file; empty: a new key, that is forgotten
  std::string name_map;   // file; empty: none
  std::string report;     // empty: none
  std::string map_out;    // the same
  FormatOptions format;
  Common common;
};

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

std::string refuse_other_strictness(const std::string& text) {
  return text == kPlain || text == kStrict ? "" : fmt::format("'{}' is not '{}'", text, kStrict);
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

std::string refuse_other_seconds(const std::string& text) {
  constexpr unsigned kMost = 3600;
  unsigned seconds = 0;
  const char* end = text.data() + text.size();
  const bool is_number =
      std::from_chars(text.data(), end, seconds).ptr == end && seconds > 0 && seconds <= kMost;
  return text == kPlain || is_number ? "" : fmt::format("'{}' is not a number from 1 to {}", text, kMost);
}

std::optional<Freezer::Milliseconds> freeze_limit(const DumpCommand& command) {
  constexpr std::chrono::seconds kDefault(10);
  if (command.freeze.empty()) return std::nullopt;
  return command.freeze == kPlain ? kDefault : std::chrono::seconds(std::stoul(command.freeze));
}

work::DumpOptions dump_options(const DumpCommand& command) {
  if (command.image == "-" && command.common.json)
    throw CLI::ValidationError("--json: standard output already carries the image");
  if (command.image == "-" && command.verify)
    throw CLI::ValidationError("--verify: an image on standard output cannot be read back");
  if (command.image == "-" && command.if_changed)
    throw CLI::ValidationError("--if-changed: an image on standard output cannot be kept");
  return {.kind = command.all ? DumpKind::all : DumpKind::metadata,
          .format = image_format(command.format),
          .remember = !command.map_out.empty(),
          .verify = command.verify,
          .spool = command.spool == "none" ? work::Spool::none : work::Spool::kept,
          .keep_same = command.if_changed,
          .notice = say_line};
}

// The image of a journal on another device.
class JournalDump {
 public:
  // Opens it, if there is such a journal. Without one, and for a stream, it must not be named.
  JournalDump(const DumpCommand& command, const work::DumpSource& source, const work::BaseImage* base) {
    const work::Device& device = source.device();
    if (device.journal() == nullptr && !command.journal_image.empty())
      fail(Errc::refused, device.name() + ": has no journal on another device that could be found");
    if (device.journal() == nullptr || !command.anonymize.empty()) return;
    if (command.image == "-" && command.journal_image.empty())
      throw CLI::ValidationError("--journal-image: where does the image of the journal go?");
    name_ = command.journal_image.empty() ? work::journal_image_name(command.image) : command.journal_image;
    if (is_same_name(name_, command.image)) fail(Errc::refused, name_ + ": is given for two images");
    source.refuse_output(name_);
    if (base != nullptr) base->refuse_output(name_);
    target_ = work::open_dump_target(*device.journal(), name_);
    work::refuse_output_on_input(name_, device.stored());
  }

  void write(const DumpCommand& command, const work::Device& device, work::DumpOptions& options) {
    if (!target_) return;
    options.pair = work::pair_of(device);
    work::DumpOptions of_journal = dump_options(command);
    of_journal.pair = options.pair;
    of_journal.capture = options.thaw ? CaptureState::frozen : options.capture;
    of_journal.notice = options.notice;  // nothing is printed while it is frozen
    of_journal.commit = false;
    of_journal.transfer.threads = options.transfer.threads;
    is_kept_ = work::dump(*device.journal(), *target_, of_journal).kept;
  }
  void commit() {
    if (target_ && !is_kept_ && target_->file) target_->file->commit(Durability::if_it_replaces);
  }

 private:
  std::string name_;
  std::optional<work::DumpTarget> target_;
  bool is_kept_ = false;
};

std::unique_ptr<work::BaseImage> open_base(const DumpCommand& command) {
  if (command.base.image.path.empty()) return nullptr;
  work::BaseOptions options = command.base;
  options.accept_resized = command.device.accept_mounted;
  auto base = std::make_unique<work::BaseImage>(options, command.image, 1);
  for (const std::string* output : {&command.report, &command.map_out, &command.name_map, &command.key})
    base->refuse_output(*output);
  return base;
}

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

void add_freeze_option(CLI::App& command, DumpCommand& options) {
  auto* freeze = command.add_flag("--freeze", options.freeze,
                                  "Freeze the mounted file system while it is read, at most 10 seconds (or "
                                  "--freeze=SECONDS): nothing can be "
                                  "written to it meanwhile");
  freeze->check(CLI::Validator(refuse_other_seconds, ""));
  auto* snapshot =
      command.add_flag("--snapshot", options.snapshot,
                       "Dump a snapshot of the mounted device: of an LVM volume, or of a file on a file "
                       "system that clones files");
  snapshot->excludes(freeze);
  for (const char* other : {"--offset", "--partition", "--bad-blocks"}) {
    freeze->excludes(other);
    snapshot->excludes(other);
  }
}

// Contents of files cannot be anonymised, nor can a journal beside the image.
void add_contents_options(CLI::App& command, DumpCommand& options) {
  auto* all =
      command.add_flag("-a,--all", options.all, "Dump all blocks in use, including the contents of files");
  auto* anonymize = command.add_flag("--anonymize,--anonymise", options.anonymize,
                                     "Replace names, link targets and whatever else is private; "
                                     "--anonymize=strict also UUIDs and owners, and rounds times to days");
  anonymize->check(CLI::Validator(refuse_other_strictness, ""))
      ->excludes(all)
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  command
      .add_option("--anonymize-key,--anonymise-key", options.key,
                  "Take the key for new names from FILE, so that they are the same in each dump; it is made "
                  "if it does not exist")
      ->type_name("FILE")
      ->needs(anonymize);
  command
      .add_option("--name-map", options.name_map,
                  "Write to FILE which name became which; for yourself, as it undoes --anonymize")
      ->type_name("FILE")
      ->needs(anonymize);
  command
      .add_option(
          "--journal-image", options.journal_image,
          "Where the image of a journal on another device goes (default: beside IMAGE, NAME.journal.qcow2)")
      ->type_name("FILE")
      ->excludes(anonymize);
}

void add_base_options(CLI::App& command, DumpCommand& options) {
  auto* base =
      command.add_option("--base", options.base.image.path,
                         "Store only what differs from OLD, the image of an earlier dump, which becomes "
                         "the backing file of IMAGE");
  base->type_name("OLD")->excludes("--if-changed")->excludes("--to-device");
  add_backing_option(command, "--backing", options.base.image);
  command
      .add_option("--base-name", options.base.name,
                  "The name of OLD in IMAGE (default: its path, relative to IMAGE)")
      ->type_name("NAME");
  command.add_flag("--compare-data", options.base.compare_data,
                   "Read all of OLD, instead of believing its digests where it is compressed");
  for (const char* name : {"--backing", "--base-name", "--compare-data"})
    command.get_option(name)->needs(base);
}

// What becomes of an image, and of one that is there.
void add_image_use_options(CLI::App& command, DumpCommand& options) {
  command.add_flag("--verify", options.verify,
                   "Read the image back before it gets its name, and compare it with DEVICE");
  auto* if_changed =
      command.add_flag("--if-changed", options.if_changed,
                       "Keep IMAGE if it is whole and holds just what DEVICE has now; all of it is compared");
  command
      .add_flag("--to-device", options.to_device,
                "Let IMAGE be a block device, and write the image over what is on it")
      ->excludes(if_changed);
  if_changed->excludes("--freeze");
  command
      .add_option("--spool", options.spool,
                  "How a compressed image goes to standard output: auto keeps it until it is complete, in "
                  "memory up to 256 MiB, then in TMPDIR; none makes it twice")
      ->type_name("HOW")
      ->check(one_of({"auto", "none"}));
}

}  // namespace

void add_dump(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<DumpCommand>();
  CLI::App* command =
      app.add_subcommand("dump", "Write the metadata, or all blocks in use, to a qcow2 image");
  add_device_options(*command, options->device);
  command
      ->add_option("IMAGE", options->image,
                   "The image to write (-: standard output); an existing one is replaced only when this one "
                   "is complete")
      ->required();
  add_contents_options(*command, *options);
  add_freeze_option(*command, *options);
  add_image_use_options(*command, *options);
  add_base_options(*command, *options);
  command
      ->add_option("--report", options->report,
                   "Write to FILE, as JSON, what was unreadable or inconsistent and which files are affected")
      ->type_name("FILE");
  command
      ->add_option("--map-out", options->map_out,
                   "Write a map file for GNU ddrescue that shows what could be read and what could not")
      ->type_name("MAPFILE");
  add_format_options(*command, options->format);
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow dump /dev/sdb1 sdb1.qcow2");
  command->callback([options, &chosen] { chosen.run = [options] { return run_dump(*options); }; });
}

}  // namespace e2qcow::cli
