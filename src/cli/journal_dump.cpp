// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/journal_dump.h"

#include <e2qcow/error.h>

#include "base/storage.h"
#include "work/journal_pair.h"

namespace e2qcow::cli {

JournalDump::JournalDump(const DumpCommand& command, const work::DumpSource& source,
                         const work::BaseImage* base) {
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

void JournalDump::write(const DumpCommand& command, const work::Device& device, work::DumpOptions& options) {
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

void JournalDump::commit() {
  if (target_ && !is_kept_ && target_->file) target_->file->commit(Durability::if_it_replaces);
}

}  // namespace e2qcow::cli
