// SPDX-License-Identifier: GPL-2.0-or-later
// The errors of the library and how they are raised. C++20.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace e2qcow {

// The errors besides those of the system and of libext2fs. The texts come from e2qcow_err.et, a com_err
// table.
enum class Errc {
  not_ext2 = 1,
  not_qcow2,
  unsupported,
  corrupt,
  truncated,
  in_use,
  too_small,
  refused,
  interrupted,
  unreadable,
  missing_backing,    // an image needs a backing file that was not named
  unknown_format,     // nothing says whether a backing file is raw or qcow2
  surplus_backing,    // a backing file was named for an image that has none
  ambiguous,          // looks like a qcow2 image and like a raw disk
  implausible,        // claims more data than its file can hold
  too_large,          // the disk is larger than the caller accepts
  mounted,            // would change while it is read
  unknown_mounts,     // nobody knows whether it is mounted
  metadata_only,      // would replace the contents of files with zeros
  has_partitions,     // a whole disk, where a file system was expected
  no_superblock,      // none in the block that was chosen
  small_clusters,     // too small ones for a disk of this size
  overwrites_input,   // the output would be stored where the input is
  is_device,          // a block device, where a file was expected
  begins_elsewhere,   // no file system begins here, but elsewhere
  older_remains,      // an older file system under something else
  other_overlay,      // an overlay was named that belongs to another image
  missing_data_file,  // an image needs an external data file that was not named
  surplus_data_file,  // an external data file was named that no image has
  changed,            // the source, while it was read
  wrong_digest,       // the data is not what was written
  connection_lost,    // to a server; it may work again later
  other_base,         // an image lies on another one than it was made on
  resized,            // the device has another size than before
};

const std::error_category& e2qcow_category() noexcept;
std::error_code make_error_code(Errc code) noexcept;

// The com_err code of `error`, for C callers: codes of ours and of libext2fs as com_err numbers, errno
// unchanged.
long com_err_code(const std::error_code& error) noexcept;

// Throw std::system_error. `message` names object, operation and offset. It is the whole text of what() for
// our own errors, reason included; for errors of the system the reason is appended.
[[noreturn]] void fail(Errc code, const std::string& message);
[[noreturn]] void fail_errno(const std::string& message);
[[noreturn]] void fail_errno(int error, const std::string& message);

}  // namespace e2qcow

template <>
struct std::is_error_code_enum<e2qcow::Errc> : std::true_type {};
