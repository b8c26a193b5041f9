// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/check_report.h"

namespace e2qcow::qcow2 {

bool CheckReport::has_room() {
  if (result_.messages.size() < CheckResult::kMaxMessages) return true;
  ++result_.suppressed_messages;
  return false;
}

void CheckReport::add(std::string_view kind, const Origin& origin, const std::string& text) {
  const std::string snapshot = origin.snapshot == 0 ? "" : fmt::format("snapshot {}: ", origin.snapshot);
  const std::string number = origin.number == Origin::kTheOnlyOne ? "" : fmt::format(" {}", origin.number);
  result_.messages.push_back(fmt::format("{}: {}{}{}: {}", kind, snapshot, origin.what, number, text));
}

}  // namespace e2qcow::qcow2
