// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/check_report.h"

namespace e2qcow::qcow2 {

bool CheckReport::has_room() {
  if (result_.messages.size() < CheckResult::kMaxMessages) return true;
  ++result_.suppressed_messages;
  return false;
}

void CheckReport::add(std::string_view kind, const Origin& origin, const std::string& text) {
  result_.messages.push_back(fmt::format("{}: {}: {}", kind, text_of(origin), text));
}

}  // namespace e2qcow::qcow2
