// SPDX-License-Identifier: GPL-2.0-or-later
// The options of dump; dump.cpp does what they say.
#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "cli/device_options.h"
#include "cli/dump_command.h"
#include "cli/image_options.h"

namespace e2qcow::cli {
namespace {

std::string refuse_other_strictness(const std::string& text) {
  return text == kPlain || text == kStrict ? "" : fmt::format("'{}' is not '{}'", text, kStrict);
}

std::string refuse_other_seconds(const std::string& text) {
  constexpr unsigned kMost = 3600;
  unsigned seconds = 0;
  const char* end = text.data() + text.size();
  const bool is_number =
      std::from_chars(text.data(), end, seconds).ptr == end && seconds > 0 && seconds <= kMost;
  return text == kPlain || is_number ? "" : fmt::format("'{}' is not a number from 1 to {}", text, kMost);
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
