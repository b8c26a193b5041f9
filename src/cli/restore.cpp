// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/process/sandbox.h"
#include "cli/command.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/remote_options.h"
#include "cli/sizes.h"
#include "cli/stopwatch.h"
#include "nbd/nbd_name.h"
#include "work/refusals.h"

namespace e2qcow::cli {
namespace {

struct RestoreCommand {
  work::RestoreOptions work{.image = {.notice = say_line}};
  work::RestoreOptions journal{.image = {.notice = say_line}};  // no target: there is none
  Common common;
};

void warn_of_tail(const RestoreCommand& command, const work::RestoreResult& result) {
  if (result.left_alone > 0)
    say("{}: {} bytes after the file system, at {}, are left as they are: the dump does not hold them\n",
        printable(command.work.target), result.left_alone, result.size);
}

void warn_of_losses(const RestoreCommand& command, const work::RestoreResult& result) {
  if (result.lost_bytes > 0)
    say("{}: {} could not be read when the dump was made, and are zeros\n",
        printable(command.work.image.path), human_size(result.lost_bytes));
}

void print_json(const RestoreCommand& command, const work::RestoreResult& result, double seconds) {
  nlohmann::ordered_json json{{"target", printable(command.work.target)},
                              {"size", result.size},
                              {"data-bytes", result.data_bytes},
                              {"seconds", seconds}};
  if (result.changed_bytes) json["changed-bytes"] = *result.changed_bytes;
  fmt::print("{}\n", json.dump(2));
}

void print_text(const RestoreCommand& command, const work::RestoreResult& result, double seconds) {
  const std::string changed =
      result.changed_bytes ? fmt::format("; {} changed", human_size(*result.changed_bytes)) : "";
  say("{}: {} with {} of data{}, {:.1f} s\n", printable(command.work.target), human_size(result.size),
      human_size(result.data_bytes), changed, seconds);
}

// Reads what two images say of themselves, and refuses those that were not made together.
class PairOfImages {
 public:
  explicit PairOfImages(const RestoreCommand& command) {
    if (command.journal.target.empty()) return;
    for (const auto* options : {&command.work.image, &command.journal.image}) images_.emplace_back(*options);
  }
  void refuse_if_unlike(unsigned threads) && {
    std::vector<std::optional<DumpRecord>> records;
    std::vector<std::string> names;
    for (work::ImageFiles& files : images_) {
      const work::Image image = std::move(files).read(threads);
      records.push_back(image.record());
      names.push_back(image.reader().file().name());
    }
    if (records.empty() ||
        (records[0] && records[1] && records[0]->pair && records[0]->pair == records[1]->pair))
      return;
    fail(Errc::refused, fmt::format("{}: was not dumped together with {}", names[1], names[0]));
  }

 private:
  std::vector<work::ImageFiles> images_;
};

int run_restore(RestoreCommand command) {
  const Stopwatch stopwatch;
  if (command.work.target == "-")
    throw CLI::ValidationError("TARGET: a raw disk cannot go to standard output");
  if (!command.journal.target.empty()) work::refuse_same_target(command.work.target, command.journal.target);
  PairOfImages pair(command);
  work::RestoreFiles files(command.work);
  std::optional<work::RestoreFiles> journal;
  if (!command.journal.target.empty()) journal.emplace(command.journal);
  auto directories = files.naming_directories();
  if (journal) std::ranges::copy(journal->naming_directories(), std::back_inserter(directories));
  std::vector<std::string> for_connecting;
  for (const std::string* name : {&command.work.image.path, &command.work.target, &command.journal.target})
    std::ranges::copy(nbd::files_for_connecting(*name), std::back_inserter(for_connecting));
  give_up_rights(directories, for_connecting);
  std::move(pair).refuse_if_unlike(thread_count(command.common));
  const auto result = with_progress(command.common, [&](const TransferOptions& transfer) {
    command.work.transfer = command.journal.transfer = transfer;
    command.journal.accept_metadata = true;  // a journal has nothing else
    command.journal.image.verify = command.work.image.verify;
    if (journal) std::move(*journal).restore(command.journal);
    return std::move(files).restore(command.work);
  });
  warn_of_losses(command, result);
  warn_of_tail(command, result);
  if (command.common.json)
    print_json(command, result, stopwatch.seconds());
  else if (!command.common.quiet)
    print_text(command, result, stopwatch.seconds());
  return result.contradicts_itself || result.is_unchecked ? kWithLosses : kDone;
}

}  // namespace

void add_restore(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<RestoreCommand>();
  CLI::App* command =
      app.add_subcommand("restore", "Write the disk in a qcow2 image to a file or block device");
  add_image_options(*command, options->work.image);
  command
      ->add_option("TARGET", options->work.target,
                   "A block device, or a file (sparse; an existing one is replaced only when this one is "
                   "complete); or "
                   "a disk on an NBD server (nbd://HOST/NAME)")
      ->required();
  command->add_flag("--allow-metadata", options->work.accept_metadata,
                    "Write a metadata-only image to a block device");
  command->add_flag("--replace-partitions", options->work.accept_partitions,
                    "Write to a device that holds a partition table, and overwrite it");
  command->add_flag("--fit", options->work.fit,
                    "Accept a device that is smaller than the dumped one if the file system fits");
  command->add_flag("--discard", options->work.discard,
                    "Discard areas of zeros instead of writing them, if the device guarantees that they then "
                    "read as zeros");
  command->add_flag("--changes-only", options->work.changes_only,
                    "Read TARGET as well, and write only what differs; a file is changed in place. Repeat it "
                    "after an interruption");
  add_no_verify_option(*command, options->work.image);
  auto* image = command->add_option("--journal-image", options->journal.image.path,
                                    "The image of the file system's journal, which is on another device");
  auto* target = command->add_option("--journal", options->journal.target,
                                     "The device, or file, that the journal is written to");
  image->type_name("FILE")->needs(target);
  target->type_name("DEVICE")->needs(image);
  command
      ->add_option("--new-journal", options->work.new_journal,
                   "Make this device, or file, an empty journal for the file system")
      ->type_name("DEVICE")
      ->excludes(target);
  add_remote_options(*command, options->work.image.remote);
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow restore sdb1.qcow2 /dev/sdc1");
  command->callback([options, &chosen] {
    options->journal.image.remote = options->work.image.remote;
    chosen.run = [options] { return run_restore(*options); };
  });
}

}  // namespace e2qcow::cli
