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

static_assert(ERROR_TABLE_BASE_e2qc + static_cast<long>(Errc::not_ext2) - 1 == E2QCOW_NOT_EXT2);
static_assert(ERROR_TABLE_BASE_e2qc + static_cast<long>(Errc::unreadable) - 1 == E2QCOW_UNREADABLE);

long table_code(int value) {
  return ERROR_TABLE_BASE_e2qc + value - 1;
}

class Category : public std::error_category {
 public:
  Category() { initialize_e2qc_error_table(); }
  const char* name() const noexcept override { return "e2qcow"; }
  std::string message(int value) const override { return error_message(table_code(value)); }
};

// Our own message already says why; std::system_error would append the code's text to it once more.
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
