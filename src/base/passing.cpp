// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/passing.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>

namespace e2qcow {
namespace {

constexpr int kOfTheSystem[] = {
    // Room, memory, descriptors, processes.
    ENOSPC, EDQUOT, ENOMEM, ENOBUFS, EMFILE, ENFILE, EAGAIN,
    // Another program has it.
    EBUSY, ETXTBSY, ENOLCK,
    // Connections, also those below a network file system and the reader of a pipe.
    ENOTCONN, ECONNREFUSED, ECONNRESET, ECONNABORTED, ETIMEDOUT, EPIPE, ESHUTDOWN, ENETDOWN, ENETUNREACH,
    ENETRESET, EHOSTDOWN, EHOSTUNREACH, ESTALE};

constexpr Errc kOfOurs[] = {Errc::in_use, Errc::mounted, Errc::changed, Errc::interrupted,
                            Errc::connection_lost};

}  // namespace

bool may_pass(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const auto* failure = dynamic_cast<const std::system_error*>(&error);
  if (failure == nullptr) return false;
  const std::error_code& code = failure->code();
  if (code.category() == e2qcow_category()) return std::ranges::count(kOfOurs, Errc{code.value()}) > 0;
  const bool is_errno =
      code.category() == std::generic_category() || code.category() == std::system_category();
  return is_errno && std::ranges::count(kOfTheSystem, code.value()) > 0;
}

}  // namespace e2qcow
