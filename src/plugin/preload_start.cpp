// SPDX-License-Identifier: GPL-2.0-or-later
// Part of the library that `e2qcow exec` loads into programs: these, as shells and env, start others in their
// turn, which may not load the library and would open an image file themselves.
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/file/shared_file.h"
#include "base/process/program.h"
#include "plugin/guard.h"
#include "plugin/image_words.h"
#include "plugin/next_function.h"
#include "plugin/settings.h"

namespace e2qcow::plugin {
namespace {

std::vector<std::string> arguments(char* const* words) {
  std::vector<std::string> list;
  if (words == nullptr || *words == nullptr) return list;
  for (++words; *words != nullptr; ++words) list.emplace_back(*words);
  return list;
}

// `exec` has nothing more to say of the image then.
bool must_not_start(const std::string& program, char* const* words) noexcept {
  bool is_refused = false;
  static_cast<void>(guarded([&] {
    const std::string why = why_preloading_fails(program);
    const auto image = why.empty() ? std::nullopt : find_image(arguments(words));
    if (!image) return;
    is_refused = true;
    settings().say(program + ": " + why + " and would open the image file " + *image +
                   " itself, so it is not run");
    mark_shared_file(settings().run);
  }));
  return is_refused;
}

// A name without a slash is found in PATH by the functions with a "p" in their name, and is a file here for
// the others.
std::string as_file(const char* path) {
  const std::string name = path == nullptr ? "" : path;
  return name.find('/') == std::string::npos ? "./" + name : name;
}
std::string as_command(const char* name) {
  return name == nullptr ? "" : name;
}

int refused() {
  errno = EACCES;
  return -1;
}

}  // namespace
}  // namespace e2qcow::plugin

using namespace e2qcow::plugin;  // NOLINT(google-build-using-namespace): what follows must be outside

extern "C" {

[[gnu::visibility("default")]] int execve(const char* path, char* const argv[], char* const envp[]) noexcept {
  if (must_not_start(as_file(path), argv)) return refused();
  return next<decltype(execve)>("execve")(path, argv, envp);
}

[[gnu::visibility("default")]] int execv(const char* path, char* const argv[]) noexcept {
  if (must_not_start(as_file(path), argv)) return refused();
  return next<decltype(execv)>("execv")(path, argv);
}

[[gnu::visibility("default")]] int execvp(const char* file, char* const argv[]) noexcept {
  if (must_not_start(as_command(file), argv)) return refused();
  return next<decltype(execvp)>("execvp")(file, argv);
}

[[gnu::visibility("default")]] int execvpe(const char* file, char* const argv[],
                                           char* const envp[]) noexcept {
  if (must_not_start(as_command(file), argv)) return refused();
  return next<decltype(execvpe)>("execvpe")(file, argv, envp);
}

[[gnu::visibility("default")]] int posix_spawn(pid_t* pid, const char* path,
                                               const posix_spawn_file_actions_t* actions,
                                               const posix_spawnattr_t* attributes, char* const argv[],
                                               char* const envp[]) {
  if (must_not_start(as_file(path), argv)) return EACCES;
  return next<decltype(posix_spawn)>("posix_spawn")(pid, path, actions, attributes, argv, envp);
}

[[gnu::visibility("default")]] int posix_spawnp(pid_t* pid, const char* file,
                                                const posix_spawn_file_actions_t* actions,
                                                const posix_spawnattr_t* attributes, char* const argv[],
                                                char* const envp[]) {
  if (must_not_start(as_command(file), argv)) return EACCES;
  return next<decltype(posix_spawnp)>("posix_spawnp")(pid, file, actions, attributes, argv, envp);
}
}
