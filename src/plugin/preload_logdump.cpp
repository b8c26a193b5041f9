// SPDX-License-Identifier: GPL-2.0-or-later
// debugfs reads the journal that `logdump -f` names as a plain file: it gets a copy of the disk in memory.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file/memory_disk.h"
#include "plugin/guard.h"
#include "plugin/image_registry.h"
#include "plugin/next_function.h"
#include "plugin/preload.h"

namespace e2qcow::plugin {
namespace {

constexpr std::uint64_t kMostData = 1 << 30;  // in memory

UniqueFd copy_in_memory(const char* image_name) {
  constexpr std::uint64_t kPiece = 1 << 20;
  const auto image = open_image(image_name, Access::read);
  UniqueFd copy = open_memory_disk(image->size());
  std::vector<std::byte> bytes;
  std::uint64_t data = 0;
  for (std::uint64_t offset = 0; offset < image->size(); offset += bytes.size()) {
    bytes.resize(std::min(kPiece, image->size() - offset));
    image->read(offset, bytes);
    if (is_zero(bytes)) continue;
    data += bytes.size();
    if (data > kMostData)
      fail(Errc::too_large, std::string(image_name) + ": too large for a copy in memory; restore it first");
    write_to_memory_disk(copy, offset, bytes);
  }
  return copy;
}

// Not by a library, nor by this one.
bool is_called_by_program(const void* caller) {
  Dl_info of_caller{};
  Dl_info of_program{};
  const auto* entry =
      reinterpret_cast<const void*>(::getauxval(AT_ENTRY));  // NOLINT(performance-no-int-to-ptr)
  return ::dladdr(caller, &of_caller) != 0 && ::dladdr(entry, &of_program) != 0 &&
         of_caller.dli_fbase == of_program.dli_fbase;
}

bool reads_a_journal(const void* caller, const char* path, int flags) {
  return (flags & O_ACCMODE) == O_RDONLY && std::string_view(program_invocation_short_name) == "debugfs" &&
         is_called_by_program(caller) && is_shown_as_disk(path);
}

}  // namespace
}  // namespace e2qcow::plugin

extern "C" [[gnu::visibility("default")]] int open(const char* path, int flags, ...) {
  using namespace e2qcow::plugin;  // NOLINT(google-build-using-namespace): a function of C
  std::va_list rest;
  va_start(rest, flags);
  const bool may_create = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  const mode_t mode = may_create ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (!reads_a_journal(__builtin_return_address(0), path, flags))
    return next<int(const char*, int, ...)>("open")(path, flags, mode);
  int fd = -1;
  const errcode_t error = guarded([&] { fd = copy_in_memory(path).release(); });
  if (error != 0) errno = EIO;
  return fd;
}
