// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/fault.h"

#include <e2qcow/error.h>

namespace e2qcow::qcow2 {

std::string text_of(const Origin& origin) {
  const std::string snapshot = origin.snapshot == 0 ? "" : fmt::format("snapshot {}: ", origin.snapshot);
  const std::string number = origin.number == Origin::kTheOnlyOne ? "" : fmt::format(" {}", origin.number);
  return fmt::format("{}{}{}", snapshot, origin.what, number);
}

void refuse(const std::string& file_name, const Origin& origin, const Fault& fault) {
  if (fault.kind == Fault::Kind::harmless) return;
  fail(fault.kind == Fault::Kind::truncated ? Errc::truncated : Errc::corrupt,
       fmt::format("{}: {}: {}", file_name, text_of(origin), fault.text()));
}

}  // namespace e2qcow::qcow2
