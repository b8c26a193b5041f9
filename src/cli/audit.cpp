// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/audit.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include "base/file/temporary_file.h"
#include "base/file/text_file.h"
#include "base/process/sandbox.h"
#include "cli/audit_text.h"
#include "cli/command.h"
#include "cli/device_options.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/report_strings.h"
#include "work/audit/audited_device.h"

namespace e2qcow::cli {
namespace {

struct AuditCommand {
  work::ImageOptions image{.notice = say_line};
  work::DeviceOptions device{.notice = say_line};
  std::string report;  // empty: none
  Common common;

  AuditNames names() const { return {image.path, device.path, report}; }
};

// What the image's file, or another file of it, may hold besides its disk, and is not searched.
bool has_hidden_parts(const work::Image& image) {
  std::string parts;
  const auto add = [&](bool has_any, const char* what) {
    if (has_any) parts += std::string(parts.empty() ? "" : ", ") + what;
  };
  add(image.reader().header().snapshot_count > 0, "snapshots");
  add(image.readers().size() > 1, "what its backing files have under newer data");
  add(image.reader().header().has_data_file(), "unused parts of its data file");
  if (!parts.empty())
    say("{}: {}: not searched; convert it by qemu-img and audit the result\n",
        printable(image.reader().file().name()), parts);
  return !parts.empty();
}

work::AuditResult audit_image(const AuditCommand& command) {
  if (command.image.path == "-") throw CLI::ValidationError("IMAGE: an audit needs a file, and no pipe");
  std::optional<work::Device> device;
  if (!command.device.path.empty()) device.emplace(work::or_disk_of_image(command.device));
  if (device && device->filesystem() == nullptr)
    fail(Errc::not_ext2, device->name() + ": no ext2/3/4 file system found whose names could be looked for");
  work::AuditOptions options{.superblock = command.device.superblock};
  if (!command.report.empty()) options.report = read_text_file(command.report);
  if (options.report) *options.report += "\n" + strings_in_report(*options.report);
  work::ImageFiles files(command.image);
  auto spool = open_temporary_file();
  give_up_rights({});
  const work::Image image = std::move(files).read(thread_count(command.common));
  if (device) work::refuse_unlike_device(image, *device, options.superblock);
  work::AuditResult result = with_progress(command.common, [&](const TransferOptions& transfer) {
    options.transfer = transfer;
    return work::audit(image, device ? device->filesystem() : nullptr, std::move(spool), options);
  });
  result.is_whole = !image.contradicts_itself() && !has_hidden_parts(image);
  if (device && device->lost_bytes() != 0) {
    say("{}: {} bytes could not be read; what was there was not looked for\n", printable(device->name()),
        device->lost_bytes());
    result.is_whole = false;
  }
  return result;
}

int run_audit(const AuditCommand& command) {
  const work::AuditResult result = audit_image(command);
  const AuditNames names = command.names();
  if (command.common.json)
    fmt::print("{}", audit_json(result, names));
  else if (!command.common.quiet)
    fmt::print("{}", audit_text(result, names));
  if (result.has_leaked()) return kLeaked;
  return result.is_conclusive() ? kDone : kWithLosses;
}

}  // namespace

void add_audit(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<AuditCommand>();
  CLI::App* command =
      app.add_subcommand("audit",
                         "Prove that nothing private is left in an anonymised dump (exit 0: nothing found, "
                         "1: found, 2: error, 3: nothing found, and nothing proven)");
  add_image_options(*command, options->image);
  add_device_options(*command, options->device);
  command->get_option("DEVICE")->required(false)->description(
      "What was dumped: a device, a file, or a dump of it that is not anonymised");
  command->add_option("--report", options->report, "Search this report of the dump as well")
      ->type_name("FILE");
  add_json_option(*command, options->common);
  add_progress_options(*command, options->common);
  command->footer("Example: e2qcow audit sdb1.qcow2 /dev/sdb1");
  command->callback([options, &chosen] {
    chosen.has_own_statuses(kTrouble);
    chosen.run = [options] { return run_audit(*options); };
  });
}

}  // namespace e2qcow::cli
