// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstdint>
#include <filesystem>

#include "base/unique_fd.h"

namespace e2qcow {
namespace {

// From Landlock's second version, Linux 5.19; the installed headers may be older.
constexpr std::uint64_t kRefer = 1ULL << 13;
constexpr std::uint64_t kAllOfVersion1 = (1ULL << 13) - 1;
// A directory is opened to be synced.
constexpr std::uint64_t kNaming =
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;

void allow(int ruleset, const std::string& directory, std::uint64_t access) {
  const UniqueFd fd(::open(directory.c_str(), O_PATH | O_CLOEXEC));
  if (fd.get() < 0) return;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = fd.get();
  ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

// What is of no use for a file must not be asked for.
std::uint64_t reading(const std::string& path) {
  std::error_code none;
  const bool is_directory = std::filesystem::is_directory(path, none);
  return LANDLOCK_ACCESS_FS_READ_FILE | (is_directory ? LANDLOCK_ACCESS_FS_READ_DIR : 0);
}

}  // namespace

void give_up_rights(const std::vector<std::string>& naming_directories,
                    const std::vector<std::string>& readable) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return;
  const std::uint64_t refer = version >= 2 ? kRefer : 0;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = kAllOfVersion1 | refer;
  const UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (ruleset.get() < 0) return;
  // The kernel's information about the program itself: sanitizers read it at the end.
  allow(ruleset.get(), "/proc/self", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
  for (const std::string& directory : naming_directories) allow(ruleset.get(), directory, kNaming | refer);
  for (const std::string& path : readable) allow(ruleset.get(), path, reading(path));
  ::syscall(SYS_landlock_restrict_self, ruleset.get(), 0);
}

}  // namespace e2qcow
