// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>

namespace e2qcow::plugin {

// Keeps the text for e2qcow_last_message() and reports it, with a hint if the settings have one.
void remember_error(const std::exception& error, const std::error_code& code) noexcept;

// The border to C: no exception passes it; each becomes a com_err code.
template <typename Work>
errcode_t guarded(Work work) noexcept {
  try {
    work();
    return 0;
  } catch (const std::bad_alloc&) {
    return EXT2_ET_NO_MEMORY;
  } catch (const std::system_error& error) {
    remember_error(error, error.code());
    return com_err_code(error.code());
  } catch (const std::exception& error) {
    remember_error(error, {});
    return EIO;
  }
}

}  // namespace e2qcow::plugin
