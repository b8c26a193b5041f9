// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/file/temporary_file.h"
#include "base/process/child.h"
#include "cli/command.h"
#include "cli/image_options.h"
#include "cli/message.h"
#include "cli/sizes.h"
#include "plugin/settings.h"
#include "qcow2/format/read_header.h"
#include "qcow2/read/reader.h"

namespace e2qcow::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "libe2qcow-preload.so";
constexpr std::uint64_t kSmallestCache = 1 << 20;

struct ExecOptions {
  std::string overlay{};
  work::ImageOptions image;
  std::uint64_t cache_bytes = 64 << 20;
  std::vector<std::string> command{};
};

// Beside the program, as in a build tree, or in the directory where it was installed.
std::string find_library() {
  const fs::path directory = fs::read_symlink("/proc/self/exe").parent_path();
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

// The program may run in another directory.
Variables backing_variables(const std::vector<std::string>& backing) {
  Variables variables;
  for (const std::string& file : backing)
    variables.emplace_back(plugin::backing_variable(variables.size()), fs::absolute(file).string());
  variables.emplace_back(plugin::backing_variable(variables.size()), "");
  return variables;
}

Variables variables_for(const ExecOptions& options, const PosixFile* temporary) {
  Variables variables{
      {"LD_PRELOAD", preload_list()},
      {plugin::kOverlayVariable, options.overlay.empty() ? "" : fs::absolute(options.overlay).string()},
      {plugin::kTemporaryVariable, ""},
      {plugin::kCacheVariable, std::to_string(options.cache_bytes)}};
  std::ranges::move(backing_variables(options.image.backing), std::back_inserter(variables));
  if (temporary != nullptr) variables[2].second = fmt::format("/proc/{}/fd/{}", ::getpid(), temporary->fd());
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

// None if there is no room for one, as on a rescue system: programs that only read need none, and others
// report the error.
std::unique_ptr<PosixFile> temporary_overlay() {
  try {
    return open_temporary_file();
  } catch (const std::system_error&) {
    return nullptr;
  }
}

int run_exec(const ExecOptions& options) {
  std::unique_ptr<PosixFile> temporary;
  if (options.overlay.empty()) temporary = temporary_overlay();
  const ChildEnd end = run_child(options.command, variables_for(options, temporary.get()));
  if (!end.why.empty()) say("e2qcow: {}\n", printable(end.why));
  if (temporary) say_what_is_dropped(*temporary);
  return end.status;
}

}  // namespace

void add_exec(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = app.add_subcommand(
      "exec", "Run e2fsck, debugfs, dumpe2fs, tune2fs, resize2fs ... on the disk in a qcow2 image");
  command
      ->add_option("--overlay", options->overlay,
                   "Keep the changes in this qcow2 image, on top of the one opened; continue it if it exists "
                   "(default: changes are discarded at the end)")
      ->type_name("NEW.qcow2");
  add_backing_option(*command, "--backing", options->image);
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
  command->add_option("COMMAND", options->command, "The program and its arguments, after --")->required();
  command->footer(
      "Example: e2qcow exec --overlay repaired.qcow2 -- e2fsck -fy sdb1.qcow2\n"
      "Warning: programs that ignore LD_PRELOAD (static or setuid ones, and those\n"
      "started by sudo) open the image file itself and may overwrite it; see e2qcow(8).");
  command->callback([options, &chosen] { chosen.run = [options] { return run_exec(*options); }; });
}

}  // namespace e2qcow::cli
