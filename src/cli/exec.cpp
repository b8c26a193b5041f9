// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/file/shared_file.h"
#include "base/file/temporary_file.h"
#include "base/process/child.h"
#include "base/process/program.h"
#include "base/process/write_guard.h"
#include "base/storage.h"
#include "cli/command.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/overlay_option.h"
#include "cli/sizes.h"
#include "plugin/image_words.h"
#include "plugin/seeing_programs.h"
#include "plugin/settings.h"
#include "qcow2/format/read_header.h"
#include "qcow2/read/reader.h"

namespace e2qcow::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "libe2qcow-preload.so";
constexpr std::uint64_t kSmallestCache = 1 << 20;
constexpr int kNotRun = 126;  // as of shells
// For images without an overlay that the user names; each takes a file descriptor, and no room until it is
// used.
constexpr std::size_t kTemporaries = 16;

struct ExecOptions {
  std::vector<plugin::NamedOverlay> overlays{};
  work::ImageOptions image;
  std::uint64_t cache_bytes = 64 << 20;
  std::vector<std::string> command{};
};

// Beside the program, as in a build tree, or in the directory where it was installed.
std::string find_library() {
  std::error_code no_proc;
  const fs::path directory = fs::read_symlink("/proc/self/exe", no_proc).parent_path();
  if (no_proc) fail(Errc::refused, "exec needs /proc, which is not mounted here (mount -t proc proc /proc)");
  for (const fs::path& path : {directory / kLibrary, fs::path(E2QCOW_LIBRARY_DIRECTORY) / kLibrary,
                               directory / E2QCOW_LIBRARY_FROM_PROGRAM / kLibrary}) {
    if (!fs::exists(path)) continue;
    const std::string found = fs::canonical(path);
    if (found.find_first_of(" :") == std::string::npos) return found;
    fail(Errc::refused, found + ": cannot be loaded from a directory with a space or colon in its name");
  }
  fail_errno(ENOENT, fmt::format("{}: found neither in {} nor in {}", kLibrary, directory.string(),
                                 E2QCOW_LIBRARY_DIRECTORY));
}

using Variables = std::vector<std::pair<std::string, std::string>>;

std::string preload_list() {
  const char* others = std::getenv("LD_PRELOAD");  // NOLINT(concurrency-mt-unsafe): there is one thread
  const std::string library = find_library();
  return others == nullptr || *others == '\0' ? library : library + ":" + others;
}

void add_list(Variables& variables, const std::string& name, const std::vector<std::string>& elements) {
  for (std::size_t i = 0; i < elements.size(); ++i)
    variables.emplace_back(plugin::list_variable(name, i), elements[i]);
  variables.emplace_back(plugin::list_variable(name, elements.size()), "");
}

// What the programs of one run share. It exists as long as this process does.
struct Run {
  UniqueFd mark;  // marked by a program that opens an image as a disk
  std::vector<std::unique_ptr<PosixFile>> temporaries;
};

// None if there is no room for them, as on a rescue system: programs that only read need none, and others
// report the error.
std::vector<std::unique_ptr<PosixFile>> open_temporaries() {
  std::vector<std::unique_ptr<PosixFile>> files;
  try {
    while (files.size() < kTemporaries) files.push_back(open_temporary_file());
  } catch (const std::system_error&) {
    return files;
  }
  return files;
}

// Programs may run in another directory.
std::vector<std::string> absolute(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(fs::absolute(file).string());
  return names;
}

void add_overlays(Variables& variables, const std::vector<plugin::NamedOverlay>& overlays) {
  std::vector<std::string> images;
  std::vector<std::string> files;
  for (const auto& [image, file] : overlays) {
    images.push_back(image.empty() ? plugin::kAnyImage : fs::absolute(image).string());
    files.push_back(fs::absolute(file).string());
  }
  add_list(variables, plugin::kOverlayImageList, images);
  add_list(variables, plugin::kOverlayList, files);
}

Variables variables_for(const ExecOptions& options, const Run& run) {
  Variables variables{{"LD_PRELOAD", preload_list()},
                      {plugin::kRunVariable, name_for_others(run.mark.get())},
                      {plugin::kCacheVariable, std::to_string(options.cache_bytes)},
                      {plugin::kVerifyVariable, options.image.verify ? "" : "no"}};
  add_overlays(variables, options.overlays);
  std::vector<std::string> temporaries;
  for (const auto& file : run.temporaries) temporaries.push_back(name_for_others(file->fd()));
  add_list(variables, plugin::kTemporaryList, temporaries);
  add_list(variables, plugin::kBackingList, absolute(options.image.backing));
  add_list(variables, plugin::kDataFileList, absolute(options.image.data_files));
  return variables;
}

// Whether there were changes that are now discarded, and to which image.
void say_what_is_dropped(const PosixFile& temporary) {
  if (!qcow2::has_magic(temporary)) return;
  const qcow2::Reader overlay(temporary);
  if (overlay.mapped_ranges().empty()) return;
  say("e2qcow: {}: unchanged; all changes were discarded (use --overlay FILE to keep them)\n",
      printable(overlay.backing_file_name().value_or("")));
}

// Whether the program would open the image file itself and could write to it.
bool refuse_to_run(const std::string& program, const std::string& image) {
  const std::string why = why_preloading_fails(program);
  if (why.empty()) return false;
  say_line(fmt::format("e2qcow: {}: {} and would open the image file {} itself, so it is not run; {}",
                       program, why, image,
                       "use a dynamic program, put sudo in front of e2qcow, or restore the image"));
  return true;
}

bool is_overlay(const std::string& name, const ExecOptions& options) {
  const auto ranges = stored_ranges(name);
  return std::ranges::any_of(options.overlays, [&](const plugin::NamedOverlay& overlay) {
    return overlap(ranges, stored_ranges(overlay.file));
  });
}

// What the command line has besides the program.
std::vector<std::string> arguments(const ExecOptions& options) {
  return {options.command.begin() + 1, options.command.end()};
}

// The images in the command line, which no program may change; of a loop device its file.
std::vector<std::string> files_to_guard(const ExecOptions& options) {
  std::vector<std::string> files;
  for (const std::string& name : plugin::named_images(arguments(options))) {
    if (is_overlay(name, options)) continue;
    for (const StoredRange& range : stored_ranges(name))
      files.push_back(range.name.empty() ? name : range.name);
  }
  return files;
}

ChildEnd run_guarded(const ExecOptions& options, const Run& run) {
  const WriteGuard guard(
      files_to_guard(options), [](const std::string& text) { say_line("e2qcow: " + text); },
      plugin::sees_disks);
  ChildEnd end = run_child(options.command, variables_for(options, run));
  if (guard.has_killed()) end.status = kNotRun;
  return end;
}

int run_command(const ExecOptions& options, const std::optional<std::string>& image) {
  const Run run{create_unmarked_file(), open_temporaries()};
  const ChildEnd end = run_guarded(options, run);
  if (!end.why.empty()) say_line("e2qcow: " + end.why);
  if (end.was_started && image && !is_marked(run.mark))
    say_line("e2qcow: " + *image +
             ": no program opened it as a disk; programs that do not use libext2fs get " +
             "the image file itself");
  for (const auto& temporary : run.temporaries) say_what_is_dropped(*temporary);
  return end.status;
}

int run_exec(const ExecOptions& options) {
  const auto image = plugin::find_image(arguments(options));
  if (image && refuse_to_run(options.command[0], *image)) return kNotRun;
  return run_command(options, image);
}

}  // namespace

void add_exec(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = app.add_subcommand(
      "exec", "Run e2fsck, debugfs, dumpe2fs, tune2fs, resize2fs ... on the disk in a qcow2 image");
  add_overlay_option(*command, options->overlays);
  add_backing_option(*command, "--backing", options->image);
  add_data_file_option(*command, options->image.data_files);
  add_no_verify_option(*command, options->image);
  command
      ->add_option_function<std::string>(
          "--cache-size",
          [options](const std::string& text) {
            options->cache_bytes = parse_size("--cache-size", text);
            if (options->cache_bytes < kSmallestCache)
              throw CLI::ValidationError("--cache-size: must be at least 1M");
          },
          "Memory for decompressed data, per image (default: 64M)")
      ->type_name("SIZE");
  command->add_option("COMMAND", options->command, "The program and its arguments")->required();
  command->footer(
      "Example: e2qcow exec --overlay repaired.qcow2 -- e2fsck -fy sdb1.qcow2\n"
      "Static and setuid programs, and those with their own libext2fs, open the image\n"
      "file itself. They are not run on an image if exec or its library sees them.\n"
      "Warning: it does not see what sudo starts; see e2qcow(8).");
  command->callback([options, &chosen] {
    chosen.has_own_statuses(kFailed);
    chosen.run = [options] { return run_exec(*options); };
  });
}

}  // namespace e2qcow::cli
