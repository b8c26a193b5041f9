// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <exception>
#include <string>

namespace e2qcow::compat {

// An error that is reported in e2image's words and ends the program with status 1.
class Complaint : public std::exception {
 public:
  // As com_err() prints it, after the program's name and the text of `code`, a com_err number or 0.
  Complaint(long code, std::string text) : code_(code), text_(std::move(text)) {}
  // Only the text.
  explicit Complaint(std::string text) : is_bare_(true), text_(std::move(text)) {}

  // What is printed afterwards.
  std::string to_stdout{};
  std::string to_stderr{};

  const char* what() const noexcept override { return text_.c_str(); }
  void print(const std::string& program) const;

 private:
  bool is_bare_ = false;
  long code_ = 0;
  std::string text_;
};

[[noreturn]] void complain(long code, const std::string& text);
[[noreturn]] void complain(const std::string& text);  // code 0

}  // namespace e2qcow::compat
