// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/error.h>

#include <cerrno>
#include <memory>

extern "C" {
#include <e2qcow_err.h>
#include <et/com_err.h>
}

namespace e2qcow {
namespace {

// A code without a case does not compile, nor one without an entry in the table.
#pragma GCC diagnostic error "-Wswitch"
long table_code(int value) {
  switch (Errc{value}) {
    // clang-format off
    case Errc::not_ext2:         return E2QCOW_NOT_EXT2;
    case Errc::not_qcow2:        return E2QCOW_NOT_QCOW2;
    case Errc::unsupported:      return E2QCOW_UNSUPPORTED;
    case Errc::corrupt:          return E2QCOW_CORRUPT;
    case Errc::truncated:        return E2QCOW_TRUNCATED;
    case Errc::in_use:           return E2QCOW_IN_USE;
    case Errc::too_small:        return E2QCOW_TOO_SMALL;
    case Errc::refused:          return E2QCOW_REFUSED;
    case Errc::interrupted:      return E2QCOW_INTERRUPTED;
    case Errc::unreadable:       return E2QCOW_UNREADABLE;
    case Errc::missing_backing:  return E2QCOW_MISSING_BACKING;
    case Errc::unknown_format:   return E2QCOW_UNKNOWN_FORMAT;
    case Errc::surplus_backing:  return E2QCOW_SURPLUS_BACKING;
    case Errc::ambiguous:        return E2QCOW_AMBIGUOUS;
    case Errc::implausible:      return E2QCOW_IMPLAUSIBLE;
    case Errc::too_large:        return E2QCOW_TOO_LARGE;
    case Errc::mounted:          return E2QCOW_MOUNTED;
    case Errc::unknown_mounts:   return E2QCOW_UNKNOWN_MOUNTS;
    case Errc::metadata_only:    return E2QCOW_METADATA_ONLY;
    case Errc::has_partitions:   return E2QCOW_HAS_PARTITIONS;
    case Errc::no_superblock:    return E2QCOW_NO_SUPERBLOCK;
    case Errc::small_clusters:   return E2QCOW_SMALL_CLUSTERS;
    case Errc::overwrites_input: return E2QCOW_OVERWRITES_INPUT;
    case Errc::is_device:        return E2QCOW_IS_DEVICE;
    case Errc::begins_elsewhere: return E2QCOW_BEGINS_ELSEWHERE;
    case Errc::older_remains:    return E2QCOW_OLDER_REMAINS;
    case Errc::other_overlay:    return E2QCOW_OTHER_OVERLAY;
    case Errc::missing_data_file: return E2QCOW_MISSING_DATA_FILE;
    case Errc::surplus_data_file: return E2QCOW_SURPLUS_DATA_FILE;
    case Errc::changed:          return E2QCOW_CHANGED;
    case Errc::wrong_digest: return E2QCOW_WRONG_DIGEST;
    case Errc::connection_lost:  return E2QCOW_CONNECTION_LOST;
    case Errc::other_base:       return E2QCOW_OTHER_BASE;
    case Errc::resized:          return E2QCOW_RESIZED;
      // clang-format on
  }
  return value;
}

class Category : public std::error_category {
 public:
  Category() { initialize_e2qc_error_table(); }
  const char* name() const noexcept override { return "e2qcow"; }
  std::string message(int value) const override { return error_message(table_code(value)); }
};

// Our own message already has the reason; std::system_error would append the code's text again.
class Failure : public std::system_error {
 public:
  Failure(Errc code, std::string message)
      : std::system_error(make_error_code(code)),
        message_(std::make_shared<std::string>(std::move(message))) {}
  const char* what() const noexcept override { return message_->c_str(); }

 private:
  std::shared_ptr<std::string> message_;  // copying an exception must not throw
};

}  // namespace

const std::error_category& e2qcow_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), e2qcow_category()};
}

long com_err_code(const std::error_code& error) noexcept {
  return error.category() == e2qcow_category() ? table_code(error.value()) : error.value();
}

void fail(Errc code, const std::string& message) {
  throw Failure(code, message);
}

void fail_errno(int error, const std::string& message) {
  throw std::system_error(error, std::generic_category(), message);
}

void fail_errno(const std::string& message) {
  fail_errno(errno, message);
}

}  // namespace e2qcow
