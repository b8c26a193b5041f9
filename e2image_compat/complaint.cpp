// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/complaint.h"

#include <cstdio>

extern "C" {
#include <et/com_err.h>
}

namespace e2qcow::compat {

void Complaint::print(const std::string& program) const {
  if (is_bare_)
    std::fputs(text_.c_str(), stderr);
  else
    ::com_err(program.c_str(), code_, "%s", text_.c_str());
  std::fputs(to_stdout.c_str(), stdout);
  std::fputs(to_stderr.c_str(), stderr);
}

void complain(long code, const std::string& text) {
  throw Complaint(code, text);
}

void complain(const std::string& text) {
  throw Complaint(0, text);
}

}  // namespace e2qcow::compat
